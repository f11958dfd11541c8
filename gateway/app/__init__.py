"""One builder a process, and the only place that wires parts together."""
