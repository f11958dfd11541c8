"""The command line: one module a command group; each parses, calls one service and prints."""
