"""Live calls: their state in Redis, the lease of the job that serves one, and the stream the writer reads."""
