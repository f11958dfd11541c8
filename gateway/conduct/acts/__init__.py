"""What no agent is needed for: performs a call's acts."""
