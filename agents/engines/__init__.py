"""What an agent hears, thinks and speaks by: chains of LiveKit's plugins, and what they go by."""
