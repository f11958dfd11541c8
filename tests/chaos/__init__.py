"""Disturbing a running gateway on purpose: `make chaos` and `make edits`; make test runs a short form of both."""
