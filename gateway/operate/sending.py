"""Who sends to an address, by how it begins. A new way is a class with `send` and a line in `Senders`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol

import aiohttp

from gateway.config import Settings
from gateway.operate import apprising, texting, webhooks
from gateway.operate.customers import Customers
from gateway.records.outbox import Due
from gateway.terms.delivery import Content


class Sender(Protocol):
    """Sends to addresses of one kind."""

    async def send(self, due: Due, content: Content) -> None:
        """Make one try; who calls bounds it. Raises Unavailable (`webhooks.Later` with a wait) when it didn't arrive,
        SetupFault when the operator has to do something first, Refused when another try can't help. Messages of these are
        logged: they hold no address and no words."""
        ...


class Senders:
    """All senders. Use `open` in a context of its own."""

    def __init__(
        self, settings: Settings, session: aiohttp.ClientSession, threads: Callable[[bool], ThreadPoolExecutor],
        clock: Callable[[], float],
    ) -> None:  # fmt: skip
        """`threads`: those of urgent deliveries, and of the others. `clock`: seconds since the epoch."""
        self._apprise = _Apprise(settings.smtp_url.get_secret_value(), threads)
        self._webhook = _Webhook(settings.webhook_secret.get_secret_value(), session, self._apprise, clock)
        customers = Customers(settings, session)
        self._by_scheme: Mapping[str, Sender] = {
            **dict.fromkeys(("http", "https"), self._webhook),
            **dict.fromkeys(("hubspot", "salesforce", "pipedrive"), customers),
            "sms": _Sms(settings, self._apprise),
        }

    async def send(self, due: Due, content: Content) -> None:
        """Make one try; see Sender."""
        await self._by_scheme.get(apprising.scheme(due.address), self._apprise).send(due, content)


class _Apprise:
    def __init__(self, smtp: str, threads: Callable[[bool], ThreadPoolExecutor]) -> None:
        self._smtp, self._threads = smtp, threads

    async def send(self, due: Due, content: Content) -> None:
        await self.block(due, partial(apprising.send, due.address, content, due.id, smtp=self._smtp))

    async def knows(self, due: Due) -> bool:
        return bool(await self.block(due, partial(apprising.knows, due.address)))

    async def block(self, due: Due, work: Callable[[], object]) -> object:
        return await asyncio.get_running_loop().run_in_executor(self._threads(due.urgent), work)


class _Sms:
    def __init__(self, settings: Settings, threads: _Apprise) -> None:
        self._account = texting.Account(
            settings.twilio_sid, settings.twilio_token.get_secret_value(), settings.sms_from, settings.twilio_url
        )
        self._threads = threads

    async def send(self, due: Due, content: Content) -> None:
        await self._threads.block(due, partial(texting.send, due.address, content, due, self._account))


class _Webhook:
    def __init__(
        self, secrets: str, session: aiohttp.ClientSession, apprise: _Apprise, clock: Callable[[], float]
    ) -> None:
        self._secrets, self._session, self._apprise, self._clock = secrets, session, apprise, clock

    async def send(self, due: Due, content: Content) -> None:
        if await self._apprise.knows(due):
            await self._apprise.send(due, content)
            return
        await webhooks.send(self._session, due, content, webhooks.signers(self._secrets), self._clock())
