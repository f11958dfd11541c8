"""Thousands of calls, and what they leave behind."""
