"""What keeps a person's data where it belongs: redaction of everything that is logged."""
