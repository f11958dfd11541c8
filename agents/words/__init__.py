"""What a language model is told, and what is said word for word."""
