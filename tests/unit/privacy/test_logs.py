"""Every line of a process goes through one pipeline and is redacted there; these tests read what comes out."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import socket
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog
from livekit.agents.ipc.log_queue import LogQueueHandler, LogQueueListener
from livekit.agents.utils.aio.duplex_unix import _Duplex

from gateway.config import from_environment
from gateway.privacy.logs import FLOORS, configure
from gateway.terms.personal import Digits, Number, Words

NUMBER, DIGITS, SAID = "+15105550199", "424242", "purple giraffe"
CANARIES = ("5105550199", DIGITS, "giraffe", "purple")

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, levels = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in FLOORS}
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def configured(form: str = "json", level: str = "info") -> None:
    root = logging.getLogger()  # without pytest's own handlers, which raise at a bad record
    root.handlers[:] = [handler for handler in root.handlers if not type(handler).__module__.startswith("_pytest")]
    configure(from_environment({"OFFHOOK_LOG_FORMAT": form, "OFFHOOK_LOG_LEVEL": level}), process="edge")


def lines(capsys: Capture) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize("form", ["readable", "json"])
def test_no_canary_survives(form: str, capsys: Capture) -> None:
    configured(form, "debug")
    ours, agents, other = structlog.get_logger("gateway.x"), logging.getLogger("livekit.agents"), logging.getLogger("x")
    ours.info("call came", caller=Number(NUMBER), digits=Digits(DIGITS), said=Words(SAID))
    ours.warning("nested", fields={"content": SAID, "who": [Words(SAID)]}, at=[{"sip.phoneNumber": NUMBER}])
    agents.debug("received user transcript", extra={"lk.pii.user_transcript": SAID, "language": "en"})
    agents.debug("executing tool", extra={"function": "save_lead", "lk.pii.arguments": {"name": SAID, "n": DIGITS}})
    agents.info("dtmf", extra={"lk.pii.dtmf_inputs": "4 2 4 2 4 2"})
    agents.info("skipping user input", extra={"user_input": SAID, "participant": f"sip_{NUMBER}"})
    agents.warning("unknown %s", {"role": "user", "content": [SAID]})
    other.info("Request options: {'json_data': {'messages': [{'role': 'user', 'content': '%s'}]}}", SAID)
    logging.getLogger("livekit").warning("livekit::room:612:livekit::room - participant sip_%s left", NUMBER)
    logging.getLogger("sqlalchemy.engine").info("INSERT [generated in 0.1s] ('%s', '%s')", NUMBER, SAID)
    logging.getLogger("openai").debug("Request: %s", SAID)
    agents.error("failed", exc_info=raised(ValueError(f"tool said '{SAID}' to {NUMBER} about {DIGITS}")))
    ours.error("failed", error=raised(KeyError(SAID)), exc_info=raised(RuntimeError(f"digits {DIGITS}")))
    warnings.warn(f"number {NUMBER}", stacklevel=1)
    shown = capsys.readouterr().err
    for event in ("call came", "nested", "received user transcript", "executing tool", "ValueError", "RuntimeError"):
        assert event in shown
    for canary in CANARIES:
        assert canary not in shown


def test_a_line_names_its_process_level_logger_and_fields(capsys: Capture) -> None:
    configured()
    structlog.get_logger("gateway.a").info("ready", port=5060, call="SCL_abc12345678")
    (line,) = lines(capsys)
    assert line.pop("time")
    assert line == {"level": "info", "process": "edge", "logger": "gateway.a", "event": "ready", "port": 5060,
                    "call": "SCL_abc12345678"}  # fmt: skip


def test_configuring_again_prints_once(capsys: Capture) -> None:
    configured()
    configured("readable")
    configured()
    structlog.get_logger("gateway").info("one")
    logging.getLogger("aiohttp.server").warning("two")
    assert [line["event"] for line in lines(capsys)] == ["one", "two"]


def test_the_level_holds_and_chatter_stays_down(capsys: Capture) -> None:
    configured(level="info")
    structlog.get_logger("gateway").debug("no")
    structlog.get_logger("gateway").info("yes")
    logging.getLogger("livekit.agents").debug("no")
    logging.getLogger("livekit.agents").info("yes")
    for quiet in ("livekit", "httpx", "aiohttp.access", "sqlalchemy.engine.Engine", "openai._base_client"):
        logging.getLogger(quiet).info("no")
    assert [line["event"] for line in lines(capsys)] == ["yes", "yes"]


def test_debug_never_opens_loggers_that_print_what_is_said(capsys: Capture) -> None:
    configured(level="debug")
    for wordy in ("openai", "httpx", "httpcore.http11", "websockets.client", "sqlalchemy.engine", "redis", "livekit"):
        logging.getLogger(wordy).debug("no")
    logging.getLogger("livekit.agents").debug("yes")
    assert [line["event"] for line in lines(capsys)] == ["yes"]


def test_a_spoken_replys_missing_name_is_no_warning_and_all_others_are(capsys: Capture) -> None:
    configured()
    agents = logging.getLogger("livekit.agents")
    agents.warning("no request_id provided for TTS %s", "livekit.plugins.openai.tts.TTS")
    agents.warning("no request_id provided for TTS livekit.plugins.openai.tts.TTS")  # as a job process forwards it
    agents.warning("no request_id provided for TTS %s", "another.TTS")
    agents.warning("no request_id provided for %s", {"a": ["list"]})
    structlog.get_logger("gateway.x").warning("ours", fields=["a"])
    told = [(line["logger"], line["event"]) for line in lines(capsys)]
    assert told == [
        ("livekit.agents", "no request_id provided for TTS another.TTS"),
        ("livekit.agents", "no request_id provided for {'a': ['list']}"),
        ("gateway.x", "ours"),
    ]


def test_a_context_marks_others_lines_too(capsys: Capture) -> None:
    configured()
    structlog.contextvars.bind_contextvars(call="SCL_1")
    logging.getLogger("livekit.agents").info("theirs")
    structlog.get_logger("gateway").info("ours")
    assert [line["call"] for line in lines(capsys)] == ["SCL_1", "SCL_1"]


def test_a_traceback_keeps_its_frames(capsys: Capture) -> None:
    configured()
    try:
        raised(ValueError("x"))
        int(f"'{SAID}'")
    except ValueError:
        structlog.get_logger("gateway").exception("failed")
    (line,) = lines(capsys)
    assert "test_a_traceback_keeps_its_frames" in str(line["exception"])
    assert "ValueError: invalid literal" in str(line["exception"])
    assert "giraffe" not in str(line["exception"])


def test_a_message_of_many_lines_is_one_event(capsys: Capture) -> None:
    configured()
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task name='Task-12'>")
    (line,) = lines(capsys)
    assert (line["event"], line["exception"]) == ("Task exception was never retrieved", "future: <Task name='Task-12'>")


def test_a_field_never_hides_the_lines_own(capsys: Capture) -> None:
    configured()
    logging.getLogger("x").info("theirs", extra={"level": "silly", "process_": 1, "event": "other", "time": 5})
    (line,) = lines(capsys)
    assert (line["level"], line["event"], line["level_"], line["time_"]) == ("info", "theirs", "silly", 5)


def test_a_bad_record_is_told_of_without_its_secret(capsys: Capture) -> None:
    class Rude:
        def __str__(self) -> str:
            raise RuntimeError(SAID)

    configured()
    logging.getLogger("x").info(*("%d of %d", "text"))
    logging.getLogger("x").info("rude", extra={"it": Rude()})
    logging.getLogger("x").info("next")
    shown = capsys.readouterr().err
    first, lost, last = shown.splitlines()
    assert [json.loads(line)["event"] for line in (first, last)] == ["%d of %d", "next"]
    assert lost == "a log line of x was lost: RuntimeError"
    assert "giraffe" not in shown


def test_what_nobody_caught_is_logged_and_redacted(capsys: Capture) -> None:
    def fail() -> None:
        raise ValueError(f"said '{SAID}'")

    class Finalised:
        def __del__(self) -> None:
            raise ValueError(f"said '{SAID}'")

    configured()
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    Finalised()
    gc.collect()
    error = raised(ValueError(NUMBER))
    sys.excepthook(ValueError, error, error.__traceback__)
    found = lines(capsys)
    assert [line["level"] for line in found] == ["error", "error", "critical"]
    assert not any(canary in str(found) for canary in CANARIES)


async def test_a_job_process_forwards_until_it_is_configured_and_writes_itself_then(capsys: Capture) -> None:
    """A child of livekit-agents pickles its records to its worker; after `configure` it prints its own, once."""
    theirs, ours = socket.socketpair()
    root = logging.getLogger()
    configured()
    worker_handlers = root.handlers[:]
    listener = LogQueueListener(_Duplex.open(ours), lambda record: setattr(record, "pid", 7))
    listener.start()
    child = LogQueueHandler(_Duplex.open(theirs))
    root.handlers[:] = [child]
    try:
        try:
            int(SAID)
        except ValueError:
            logging.getLogger("livekit.agents").exception("in child %s", NUMBER, extra={"lk.pii.text": SAID})
    finally:
        root.handlers[:] = worker_handlers
        child.close()
        await asyncio.to_thread(listener.stop)
    (line,) = lines(capsys)
    assert (line["event"], line["pid"], line["lk.pii.text"]) == ("in child <number …99>", 7, "<words>")
    assert "ValueError" in str(line["exception"])
    assert not any(canary in str(line) for canary in CANARIES)
    root.addHandler(child)
    configured()
    assert child not in root.handlers
    logging.getLogger("livekit.agents").info("once")
    assert [line["event"] for line in lines(capsys)] == ["once"]
