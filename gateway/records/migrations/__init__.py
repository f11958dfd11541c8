"""The schema's history. A released revision is never edited; add one."""
