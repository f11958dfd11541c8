"""Calls that come in: from an INVITE to a participant in a room."""
