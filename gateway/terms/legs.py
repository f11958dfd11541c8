"""How participants of a room are marked, as our SIP service and whoever conducts the call both call it."""

from __future__ import annotations

LEG = "offhook.leg"
"""Attribute of somebody's leg: its name. LiveKit's API alone decides whom such a participant hears, and who hears it."""
LOST = "offhook.lost"
"""Attribute of a participant of our SIP service's that leaves though nobody has hung up; LiveKit keeps no other reason than its
own few."""
