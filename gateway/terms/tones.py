"""The attribute by which a trunk has its calls' audio listened to for keys."""

from __future__ import annotations

TONES = "offhook.tones"
"""A SIP participant with it set to `ON`: keys that come as tones in its audio count as well."""
ON = "1"
