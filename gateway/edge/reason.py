"""Why a peer ends a call, by the Reason headers of its BYE (RFC 3326). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CAUSE = re.compile(r"^\s*(SIP|Q\.850)\s*;(?:.*;)?\s*cause\s*=\s*(\d{1,3})\s*(?:;|$)", re.IGNORECASE)
_DROPPED = {
    "Q.850": frozenset({27, 38, 41, 42, 47, 102}),
    "SIP": frozenset({408, 500, 503, 504}),
}
"""Q.850: destination out of order, network out of order, temporary failure, congestion, no resource, a timer that expired.
What a gateway sends for any end that it can't name (31, 127) says nothing."""


def dropped(reasons: Iterable[str]) -> bool:
    """Whether the call was cut off, by the network or a phone that is gone, and nobody hung up. What can't be read says
    nothing."""
    for header in reasons:
        for value in header.split(","):
            if (found := _CAUSE.match(value)) and int(found[2]) in _DROPPED[found[1].upper()]:
                return True
    return False
