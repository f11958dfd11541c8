"""How participants of a room are marked, and told to end, as our SIP service and whoever conducts the call both call it."""

from __future__ import annotations

LEG = "offhook.leg"
"""Attribute of somebody's leg: its name. LiveKit's API alone decides whom such a participant hears, and who hears it."""
LOST = "offhook.lost"
"""Attribute of a participant of our SIP service's that leaves though nobody has hung up; LiveKit keeps no other reason than its
own few."""
LOST_BY = frozenset({"CONNECTION_TIMEOUT", "SIGNAL_CLOSE"})
"""LiveKit's names of the reasons for which it has lost a participant whom nobody has put out."""
EDGE = "offhook.edge"
"""Attribute of a participant of our SIP service's, which heeds what is here: the name of the service's process."""
UNNAMED = "1"
"""EDGE of a process that has no name."""
DROP = "offhook.drop"
"""The topic of a data packet to legs of our SIP service's: their calls are to end. It is heeded from the call's job, or
LiveKit's API; the phone falls silent at once, and its participant leaves a moment later, by itself."""
