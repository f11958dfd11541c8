"""One pipeline for every log line of a process: ours and the libraries', readable or JSON, to stderr, redacted.

`configure` is the first thing a process calls. Our code logs by `structlog.get_logger(__name__)`; everything that
uses `logging` (livekit, whose Rust core logs through it too, livekit.agents, aiohttp, SQLAlchemy, asyncio), warnings
and exceptions nobody caught go the same way.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

import structlog

from gateway.config import Settings
from gateway.privacy.redact import redact, redact_traceback, scrub
from gateway.privacy.render import Line, json_line, readable_line

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

FLOORS = {
    "livekit": logging.WARNING,
    "livekit.agents": logging.INFO,
    "livekit.plugins": logging.INFO,
    "aiohttp.access": logging.WARNING,
    "aiosqlite": logging.INFO,
    "sqlalchemy": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.INFO,
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "openai": logging.WARNING,
    "websockets": logging.INFO,
    "redis": logging.INFO,
    "urllib3": logging.INFO,
}
"""The lowest level at which others' loggers speak, whatever OFFHOOK_LOG_LEVEL says: below it they print whole
requests, statements and frames, with everything a caller said in them."""

_DEBUGGED = frozenset({"livekit.agents", "livekit.plugins", "asyncio"})
"""Loggers whose DEBUG is worth having and names what is personal; they follow OFFHOOK_LOG_LEVEL=debug."""

_NOISE = {"livekit.agents": "no request_id provided for TTS livekit.plugins.openai.tts.TTS"}
"""By logger, a warning that comes with each sentence and that nobody can do anything about: of servers that speak OpenAI's
protocol some name no request."""

_STANDARD = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}
_RESERVED = frozenset({"time", "level", "process", "logger", "event", "exception"})


def configure(settings: Settings, *, process: str) -> None:
    """Make this process log by `settings.log_format` and `log_level`, as `process`, to stderr.

    Call it first in each process, a job's child process included; calling it again replaces what it did. In a child
    of livekit-agents it takes the place of the handler that sends records to the worker: the child writes its own
    lines, so that none is lost when it is killed and none is printed twice. What a child logs before this is printed
    by its worker, redacted too.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handler = _Handler(sys.stderr)
    handler.setFormatter(Formatter(process, _renderer(settings)))
    handler.addFilter(_is_worth_it)
    root = logging.getLogger()
    for other in list(root.handlers):
        if _is_replaced(other):
            root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(level)
    for name, floor in FLOORS.items():
        lowest = level if name in _DEBUGGED else max(level, floor)
        logging.getLogger(name).setLevel(lowest)
    logging.captureWarnings(capture=True)
    _catch_the_uncaught()
    _configure_structlog(level)


class Formatter(logging.Formatter):
    """Turns any record, structlog's or another's, into one redacted line."""

    def __init__(self, process: str, render: Callable[[Line], str]) -> None:
        super().__init__()
        self._process = process
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        """The line; never raises for what a record holds."""
        fields = dict(record.msg) if isinstance(record.msg, dict) else _foreign(record)
        event = fields.pop("event", "")
        # Libraries put stacks and tasks below their message's first line.
        event, _, below = event.strip().partition("\n") if isinstance(event, str) else (event, "", "")
        exception = _exception(record, fields, below)
        clean = {key: scrub(value, key) for key, value in fields.items()}
        return self._render(
            Line(
                at=record.created,
                level=record.levelname.lower(),
                process=self._process,
                logger=record.name,
                event=redact(event) if isinstance(event, str) else str(scrub(event)),
                fields={f"{key}_" if key in _RESERVED else key: value for key, value in clean.items()},
                exception=exception,
            )
        )


class _Handler(logging.StreamHandler[TextIO]):
    """Ours: what `configure` puts in place and finds again."""

    def handleError(self, record: logging.LogRecord) -> None:
        # The standard one prints the record's raw message and arguments to stderr: the one thing it must not do.
        error = sys.exc_info()[0]
        if error is not None and not issubclass(error, OSError):
            self.stream.write(f"a log line of {record.name} was lost: {error.__name__}\n")


def _is_worth_it(record: logging.LogRecord) -> bool:
    noise = _NOISE.get(record.name)
    return noise is None or _foreign(record)["event"] != noise


def _renderer(settings: Settings) -> Callable[[Line], str]:
    if settings.log_format == "json":
        return json_line
    colour = sys.stderr.isatty()
    return lambda line: readable_line(line, colour=colour)


def _is_replaced(handler: logging.Handler) -> bool:
    # Exact types only: pytest's and OpenTelemetry's handlers stay.
    forwards = type(handler).__module__ == "livekit.agents.ipc.log_queue"
    return forwards or type(handler) is logging.StreamHandler or isinstance(handler, _Handler)


def _configure_structlog(level: int) -> None:
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _hand_over],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _hand_over(_logger: WrappedLogger, _method: str, event: EventDict) -> tuple[tuple[EventDict], dict[str, object]]:
    """The last processor: the event becomes a `logging` record's message, its exception the record's own."""
    given = event.pop("exc_info", None)
    stack = bool(event.pop("stack_info", False))
    return (event,), {"exc_info": given, "stack_info": stack}


def _foreign(record: logging.LogRecord) -> dict[str, object]:
    try:
        event = record.getMessage()
    except (TypeError, ValueError):  # arguments that don't fit the message: print what there is
        event = str(record.msg)
    context = structlog.contextvars.get_contextvars()
    extra = {key: value for key, value in record.__dict__.items() if key not in _STANDARD and key[0] != "_"}
    return {**context, **extra, "event": event}


def _exception(record: logging.LogRecord, fields: dict[str, object], below: str) -> str:
    parts = [below] if below else []
    if record.exc_info and record.exc_info[0] is not None:
        parts.append("".join(traceback.format_exception(*record.exc_info)))
    elif record.exc_text:  # came from a child process, already formatted
        parts.append(record.exc_text)
    if isinstance(given := fields.pop("exception", None), str):
        parts.append(given)
    if record.stack_info:
        parts.append(record.stack_info)
    return redact_traceback("\n".join(part.rstrip("\n") for part in parts)) if parts else ""


def _catch_the_uncaught() -> None:
    """Exceptions nobody caught are printed raw by default; log them instead."""
    log = logging.getLogger("offhook")

    def of_process(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt | SystemExit):
            return
        log.critical("the process dies of an error nobody caught", exc_info=(kind, error, trace))

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not issubclass(args.exc_type, SystemExit):
            name = args.thread.name if args.thread else ""
            log.error(
                "a thread died of an error nobody caught",
                extra={"thread_name": name},
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        if args.exc_value is not None:
            log.error(
                "an error could not be raised",
                extra={"place": args.err_msg or ""},
                exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
            )

    sys.excepthook, threading.excepthook, sys.unraisablehook = of_process, of_thread, unraisable
