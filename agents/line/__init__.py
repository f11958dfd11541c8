"""The caller's line beside the conversation: its audio, its silence, its minutes, and who is on it."""
