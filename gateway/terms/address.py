"""Addresses that may be called: E.164, or `sip:USER@TRUNK`, written in one way and in no other. Pure.

What is dialed goes through a carrier that reads it by rules of its own. So whatever could be read in two ways is no
address: separators, letters or digits of other scripts, escapes, parameters, headers, a second `@`, a line's end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 128
"""Characters."""
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_SIP = re.compile(
    r"(?P<scheme>sips?):(?P<user>\+?[A-Za-z0-9_.\-]{1,40})@(?P<trunk>[A-Za-z0-9][A-Za-z0-9_.\-]{0,62})", re.ASCII
)
"""The scheme in lower case: what differs in nothing but its case isn't two addresses."""


@dataclass(frozen=True, slots=True)
class Address:
    """Whom to call."""

    user: str
    """E.164, or a SIP user."""
    trunk: str = ""
    """Name of the outbound trunk, case folded; "" for the default one."""
    scheme: str = "sip"

    @property
    def e164(self) -> str:
        """The number; "" where the user is none."""
        return self.user if _NUMBER.fullmatch(self.user) else ""

    def __str__(self) -> str:
        return f"{self.scheme}:{self.user}@{self.trunk}" if self.trunk else self.user


def parse(written: str) -> Address | None:
    """The address that the text is, as it stands; None for any other text."""
    if len(written) > LONGEST:
        return None
    if _NUMBER.fullmatch(written):
        return Address(written)
    if found := _SIP.fullmatch(written):
        return Address(found["user"], found["trunk"].casefold(), found["scheme"])
    return None
