"""The words every part shares: numbers, calls, turns, leads, endings. Pure: no I/O, no clock."""
