"""Messages that callers leave: recorded, kept, written down."""
