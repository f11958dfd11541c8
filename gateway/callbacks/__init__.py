"""Callers who are called back: when, how it stands with each, and the calls that the gateway makes for it."""
