"""Sockets: thin asyncio drivers around the pure protocol packages `gateway.sip` and `gateway.rtp`."""
