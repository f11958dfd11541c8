"""What only the whole plan shows: names that lead nowhere, callers who would be lost, routes nobody reaches."""
