"""Numbers that are never called again, because somebody there said so. Every leg to an outside number is checked."""
