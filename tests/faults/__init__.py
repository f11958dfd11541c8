"""A speech provider that misbehaves as it is told (see tests.faults.server)."""
