"""A call that an agent gives to a human: warm, by a whisper to whoever answers, and back to the agent where nobody does."""
