"""Deliveries by apprise: what is a real SMTP server's and a real HTTP server's to get."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from typing import cast

import pytest

from gateway.callbacks.ics import Appointment, ics
from gateway.errors import SetupFault, Unavailable
from gateway.operate.apprising import ID_HEADER, knows, send, url
from gateway.terms.delivery import Content

TOLD = Content(
    "Message from +1 510-555-0142, 7 s",
    "+1 510-555-0142 left a message.\n\n“Ring me & <soon>”\n\nListen: https://x/messages/m1?until=1&sig=ab",
    {
        "caller": "+15105550142",
        "link": "https://x/messages/m1?until=1&sig=ab",
        "transcript": "Ring & soon?",
    },
)


@asynccontextmanager
async def smtp_server() -> AsyncIterator[tuple[int, list[tuple[list[str], EmailMessage]]]]:
    """A mail server (RFC 5321) that takes everything; its port, and recipients and mails as they come."""
    mails: list[tuple[list[str], EmailMessage]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to: list[str] = []

        def answer(text: str) -> None:
            writer.write(text.encode() + b"\r\n")

        answer("220 test")
        while line := (await reader.readline()).decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                to.append(line.partition("<")[2].partition(">")[0])
            if verb == "DATA":
                answer("354 go on")
                data = await reader.readuntil(b"\r\n.\r\n")
                mail = email.message_from_bytes(data[:-5], policy=email.policy.default)
                mails.append((to, cast(EmailMessage, mail)))
            answer("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], mails


async def sent(address: str, smtp: str = "", told: Content = TOLD) -> None:
    await asyncio.to_thread(send, address, told, "n1", smtp=smtp)


async def test_a_mail_arrives() -> None:
    async with smtp_server() as (port, mails):
        await sent("mailto:ana@example.com", f"mailto://127.0.0.1:{port}?from=offhook@example.com")
    ((to, mail),) = mails
    assert to == ["ana@example.com"]
    assert (mail["Subject"], mail[ID_HEADER]) == (TOLD.title, "n1")
    assert "offhook@example.com" in mail["From"]
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content().replace("\r\n", "\n").strip() == TOLD.body


async def test_a_mail_carries_files() -> None:
    made = ics(Appointment("a@offhook", 0, 1.8e9, 900.0, "Callback: Søren", attendees=("ana@example.com",)), 1.8e9)
    told = Content("Callback", "See the date.", files={"callback.ics": made})
    async with smtp_server() as (port, mails):
        await sent("mailto:ana@example.com", f"mailto://127.0.0.1:{port}?from=offhook@example.com", told)
    ((_, mail),) = mails
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_content_type()) == ("callback.ics", "text/calendar")
    assert (file.get_param("method"), file.get_content_charset()) == ("REQUEST", "utf-8"), "RFC 6047 section 2.4"
    assert "SUMMARY:Callback: Søren" in str(file.get_content())


async def test_nobody_there_is_told_without_the_address() -> None:
    with pytest.raises(Unavailable) as caught:
        await sent("json://user:hunter2@127.0.0.1:9/s3cret")
    assert "hunter2" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(Unavailable):
        await sent("mailto:ana@example.com", "mailto://127.0.0.1:9?from=a@example.com")


async def test_what_cannot_be_sent_is_told() -> None:
    with pytest.raises(SetupFault, match="OFFHOOK_SMTP_URL"):
        await sent("mailto:ana@example.com")
    with pytest.raises(SetupFault, match="'nonsense'"):
        await sent("nonsense://x")


def test_addresses_that_apprise_knows_stay_as_they_are() -> None:
    hook = "https://hooks.slack.com/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
    for address in ("slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#x", hook, "mailto://u:p@h?to=a@b.cd"):
        assert url(address, "n1", smtp="") == address
    assert [knows(address) for address in (hook, "https://example.com/a")] == [True, False]
