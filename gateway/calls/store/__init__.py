"""The live calls, as every process sees them: the port, and its adapters in memory and in Redis."""
