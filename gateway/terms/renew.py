"""The RPC by which a SIP participant of ours is asked to publish what its phone says as another track."""

from __future__ import annotations

RENEW = "offhook.Renew"
"""The method; payload and answer are `{}`. It returns once the new track is published and the old one is gone."""
