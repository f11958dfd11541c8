"""Times that several processes go by, and have to agree on. Pure; seconds."""

from __future__ import annotations

ENTERS_WITHIN = 20.0
"""That a SIP service may take to bring a caller into their room, and to publish what they say; it gives up then. Measured:
ten calls at once on two cores that have four times as much to do need up to 15, and those that a shorter time ends would
have been served."""
COMES_WITHIN = ENTERS_WITHIN + 1.0
"""That a job waits in the room for a caller who isn't there. The SIP service tells of them before they are, and a job
that left by then would only be followed by the next. A caller who gives up ends the call in the store, and with it the
job's lease."""
THERE_WITHIN = ENTERS_WITHIN + 2.0
"""From the first hint of a call until its caller must be in the room, or is gone."""
SILENT_FOR = 600.0
"""That the phone of whoever was rung may send nothing where no setting says less, the most that LiveKit takes: a PBX that
puts them on hold, or is asked to park a call, often stops its media without saying so."""
_PATIENCE = (3.0, 6.0, 10.0)


def patience(late: int) -> float:
    """How long a job may be silent until another takes its call over: until it comes, between two renewals of its lease,
    and between two of its beats. `late`: jobs of the call that were replaced for it one after the other although they
    lived. On a machine that is too busy each start makes it busier: the next job gets longer."""
    return _PATIENCE[min(late, len(_PATIENCE) - 1)]
