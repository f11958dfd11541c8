"""What a caller keys in."""
