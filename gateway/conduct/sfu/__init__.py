"""What a job does in its room of LiveKit, the SFU: joins and publishes, and has everybody hear whom they are to hear."""
