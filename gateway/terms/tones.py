"""The attribute by which a trunk has its calls' audio listened to for keys. Pure."""

from __future__ import annotations

from collections.abc import Mapping

TONES = "offhook.tones"
"""A SIP participant with it set to `ON`: keys that come as tones in its audio count as well; a dispatch rule: of the callers
whom it lets in, and of those whom it asks for a PIN."""
ON = "1"


def count(attributes: Mapping[str, str]) -> bool:
    """Whether tones are keys, by a participant's or a rule's attributes."""
    return attributes.get(TONES) == ON
