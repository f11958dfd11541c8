"""The attribute by which a SIP service of ours tells the room that a participant's phone has put us on hold."""

from __future__ import annotations

HOLD = "offhook.hold"
"""A SIP participant has it while it is on hold: MUSIC or SILENT."""
MUSIC = "music"
"""The phone, or its PBX, plays something to us."""
SILENT = "silent"
"""It plays nothing."""
