"""Sending a call's caller elsewhere by their carrier, and what came of it as a SIP status."""

from __future__ import annotations

import aiohttp
from livekit import api

from gateway.conduct.legs.outward import Outward, Passed

THERE = 200
LATE = 5.0
"""Seconds that LiveKit may take beyond the ringing."""
NOT_LET_OUT = 404
"""Stands for a transfer that the guard refuses: no other way is tried either."""
_BY_CODE = {
    api.TwirpErrorCode.CANCELED: 408,
    api.TwirpErrorCode.DEADLINE_EXCEEDED: 408,
    api.TwirpErrorCode.ABORTED: 408,  # nobody tells how it ended: it may have rung
    api.TwirpErrorCode.UNAVAILABLE: 503,
}
"""A status for an API error that has none."""


async def sent(outward: Outward, passed: Passed, ringing: float) -> tuple[int, str]:
    """Send the caller to somebody who has passed, and wait for `ringing` seconds at most: THERE once they are there, else
    the status of the REFER or of whom it called, 0 for none, and what was said."""
    try:
        await outward.refer(passed, ringing, ringing + LATE)
    except api.SipCallError as refused:
        return refused.sip_status_code or _BY_CODE.get(refused.code, 0), refused.sip_status or refused.code
    except api.TwirpError as bad:
        return _BY_CODE.get(bad.code, 0), bad.message or bad.code
    except TimeoutError:
        return 408, "nobody tells what became of the transfer"
    except aiohttp.ClientError as bad:
        return 408, f"LiveKit doesn't answer: {type(bad).__name__}"
    return THERE, ""
