"""Whom the gateway may call: every leg and every REFER is judged here before anything is dialed."""
