"""A conversation: how it is taken up, what is kept of it, and what the caller may ask for in it."""
