"""LiveKit's trunks and dispatch rule: what the operator's file wants, what is there, what to change."""
