"""The agents, one small file each. README.md says how to add one; the gateway reaches them by `agents.registry`."""
