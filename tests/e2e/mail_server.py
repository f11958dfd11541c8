"""A mail server for tests, in a thread of its own: what the gateway mails, as it comes."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage

from tests.unit.operate.test_apprising import smtp_server


@dataclass
class Mails:
    """What has come."""

    port: int = 0
    came: list[tuple[list[str], EmailMessage]] = field(default_factory=list)

    def to(self, address: str, subject: str = "") -> list[EmailMessage]:
        """Those to an address whose subject has these words, the first first."""
        return [mail for to, mail in list(self.came) if address in to and subject in str(mail["Subject"])]

    async def next(self, address: str, subject: str, within: float, than: int = 0) -> EmailMessage:
        """The last of them, once there are more than `than`."""
        async with asyncio.timeout(within):
            while len(found := self.to(address, subject)) <= than:
                await asyncio.sleep(0.2)
        return found[-1]


def words(mail: EmailMessage) -> str:
    """What it says."""
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def calendar(mail: EmailMessage) -> dict[str, str]:
    """The lines of its appointment, the last of each name, unfolded (RFC 5545 section 3.1)."""
    (file,) = mail.iter_attachments()
    assert file.get_content_type() == "text/calendar"
    whole = re.sub(r"\r?\n ", "", str(file.get_content()))
    return {name.partition(";")[0]: value for name, _, value in (line.partition(":") for line in whole.splitlines())}


@contextmanager
def mail_server() -> Iterator[Mails]:
    """Serve at a port of this machine."""
    mails, loop, ready, over = Mails(), asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with smtp_server() as (mails.port, mails.came):
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield mails
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join(10)
