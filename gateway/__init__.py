"""offhook: a telephony gateway on LiveKit.

A dialed number becomes a LiveKit room; a dispatcher picks the agent from a dial plan that operators edit.
The packages are described in the README's table; their borders are import-linter contracts.
"""
