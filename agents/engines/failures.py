"""What an engine's error says of its provider."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aiohttp.http_exceptions import HttpProcessingError
from livekit.agents import APIStatusError, APITimeoutError

from gateway.health.circuit import Reason

_OPERATORS = {401, 402, 403}


def reason_of(error: BaseException) -> Reason:
    """Why the provider didn't serve."""
    if isinstance(error, APIStatusError):
        # aiohttp gives an answer that isn't HTTP the status 400, which nobody has sent.
        if any(isinstance(one, HttpProcessingError) for one in _came_of(error)):
            return Reason.FAULT
        if error.status_code in _OPERATORS:
            return Reason.AUTH
        if error.status_code == 429:
            return Reason.RATE
        if error.status_code == 408:
            return Reason.TIMEOUT
        # A WebSocket's close codes stand there too, 1000 and more: they aren't the request's fault.
        return Reason.REFUSED if 400 <= error.status_code < 500 else Reason.FAULT
    return Reason.TIMEOUT if isinstance(error, TimeoutError | APITimeoutError) else Reason.FAULT


def _came_of(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came of, told or not."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        one = one.__cause__ or one.__context__


def retry_after(error: BaseException) -> float | None:
    """The seconds that a provider asks to wait, if it does and names seconds (RFC 9110 section 10.2.3). The plugins
    leave the answer out of their errors, but not out of what these errors come of."""
    cause = error.__cause__ or error.__context__
    headers = getattr(getattr(cause, "response", cause), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    try:
        seconds = float(headers.get("retry-after") or headers.get("Retry-After") or "")
    except ValueError:
        return None
    return seconds if 0.0 <= seconds < float("inf") else None
