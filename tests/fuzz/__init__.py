"""Fuzzing: `make fuzz` runs every target with atheris; make test runs a short form with hypothesis."""
