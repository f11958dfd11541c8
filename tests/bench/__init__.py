"""The figures; see README.md."""
