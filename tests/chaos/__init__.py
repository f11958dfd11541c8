"""Disturbing a running gateway on purpose: `make chaos`; make test runs a short form."""
