"""What the phone does in a call, step by step: values, and how people write them. Pure.

A script file is a YAML list; each step is one key, or a word where nothing needs saying:

    - expect: {answer: 5}            # answered within 5 s
    - expect: {audio: 3}             # anything heard within 3 s
    - expect: turn                   # something was said, and then a pause
    - expect: {like: "Hello, this is Acme", within: 10}    # these words, or a .wav file, by the agents' voice
    - say: I'd like a quote
    - barge_in: Stop, please         # said once the other side has been talking for a second
    - expect: {silence: 1}           # the other side quiet for 1 s
    - press: "12#"
    - expect: {tone: [697, 1209]}    # these frequencies at once; one number for one
    - expect: {keys: "12#"}          # keys the other side pressed
    - play: question.wav
    - wait: 2.5
    - expect: {ended: 10}            # the other side hangs up within 10 s
    - hang_up                        # what happens at a script's end anyway

    - expect: {status: 486}          # alone: the call is refused so

On the command line an expectation is written `audio:3`, `tone:697+1209`, `like:Hello`, `status:486`, `silence`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import yaml

from gateway.errors import SetupFault
from gateway.rtp.telephone_event import KEYS

MAX_SECONDS = 3600.0


class ScriptFault(SetupFault):
    """A script can't be read; says which step and what it should be."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak `text`."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class BargeIn:
    """Speak `text` once the other side has been talking for `after` seconds."""

    text: str = field(repr=False)
    after: float = 1.0


@dataclass(frozen=True, slots=True)
class Play:
    """Play a WAV file; the path is relative to where the phone runs."""

    path: str


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys."""

    keys: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Stay on the line for `seconds`, or until the other side hangs up."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call."""


@dataclass(frozen=True, slots=True)
class ExpectAnswer:
    """The call is answered within `within` seconds of dialing."""

    within: float = 30.0


@dataclass(frozen=True, slots=True)
class ExpectStatus:
    """The INVITE's final response has this status."""

    status: int


@dataclass(frozen=True, slots=True)
class ExpectAudio:
    """Something is heard within `within` seconds."""

    within: float = 5.0


@dataclass(frozen=True, slots=True)
class ExpectSilence:
    """The other side is quiet for `seconds`, within `within`."""

    seconds: float = 1.0
    within: float = 30.0


@dataclass(frozen=True, slots=True)
class ExpectTone:
    """All these frequencies (Hz) at once."""

    frequencies: tuple[float, ...]
    within: float = 5.0


@dataclass(frozen=True, slots=True)
class ExpectLike:
    """Speech like `what`: a WAV file, or words spoken by `voice`."""

    what: str = field(repr=False)
    voice: str = "slt"
    within: float = 10.0
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectKeys:
    """The other side pressed these keys, as events or tones."""

    keys: str = field(repr=False)
    within: float = 5.0


@dataclass(frozen=True, slots=True)
class ExpectEnded:
    """The other side hangs up within `within` seconds."""

    within: float = 10.0


@dataclass(frozen=True, slots=True)
class ExpectTurn:
    """The other side says something and then pauses, within `within` seconds."""

    within: float = 30.0


Expectation = (
    ExpectAnswer
    | ExpectTurn
    | ExpectStatus
    | ExpectAudio
    | ExpectSilence
    | ExpectTone
    | ExpectLike
    | ExpectKeys
    | ExpectEnded
)
Step = Say | BargeIn | Play | Press | Wait | HangUp | Expectation


def read(text: str) -> list[Step]:
    """Read a script file's text. Raises ScriptFault."""
    try:
        loaded = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as bad:
        place = getattr(bad, "problem_mark", None)
        where = f" at line {place.line + 1}" if place is not None else ""
        raise ScriptFault(f"The script is no YAML{where}.") from None
    if not isinstance(loaded, list) or not loaded:
        raise ScriptFault("The script isn't a list of steps.", remedy="Begin each step with '- '.")
    return [_step(written, number) for number, written in enumerate(loaded, 1)]


def step(kind: str, value: str) -> Step:
    """A step as the command line has it: an option's name, without dashes, and its value. Raises ScriptFault."""
    name = kind.replace("-", "_")
    if name == "wav":
        name = "play"
    if name == "expect":
        what, colon, argument = value.partition(":")
        written: object = {what.strip(): argument.strip()} if colon else what.strip()
        return _guarded(f"--{kind} {value}", lambda: _expect(written))
    return _guarded(f"--{kind} {value}", lambda: _STEPS[name](value))


def spoken_in_turn(steps: Sequence[Step]) -> list[Step]:
    """The steps, with a wait for the other side's end of speech before each that speaks or presses, as people do."""
    found: list[Step] = []
    for one in steps:
        if isinstance(one, Say | Play | Press) and not (found and isinstance(found[-1], Wait)):
            found.append(ExpectTurn())
        found.append(one)
    return found


def _step(written: object, number: int) -> Step:
    if isinstance(written, str):
        written = {written: ""}
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ScriptFault(f"Step {number} of the script isn't one step.", remedy="Write `- say: Hello`.")
    ((name, value),) = written.items()
    if name not in _STEPS:
        raise ScriptFault(f"Step {number}: there is no '{name}'.", remedy=f"There are {', '.join(_STEPS)}.")
    return _guarded(f"Step {number} ({name})", lambda: _STEPS[name](value))


def _guarded(where: str, make: Callable[[], Step]) -> Step:
    try:
        return make()
    except (ValueError, TypeError, KeyError) as bad:
        raise ScriptFault(f"{where}: {bad.args[0] if bad.args else 'it can’t be read'}.") from None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("it needs a text")
    return value


def _seconds(value: object) -> float:
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_SECONDS:
        raise ValueError(f"'{value}' isn't a number of seconds from 0 to {MAX_SECONDS:.0f}")
    return seconds


def _keys(value: object) -> str:
    keys = _text(value).replace(" ", "").upper()
    if set(keys) - set(KEYS):
        raise ValueError(f"a phone has the keys {KEYS} only")
    return keys


def _barge_in(value: object) -> BargeIn:
    if isinstance(value, Mapping):
        _known(value, "say", "after")
        return BargeIn(_text(value.get("say")), _seconds(value.get("after", "1")))
    return BargeIn(_text(value))


def _hang_up(value: object) -> HangUp:
    if value:
        raise ValueError("it takes nothing")
    return HangUp()


def _expect(value: object) -> Step:
    options: Mapping[str, object] = value if isinstance(value, Mapping) else {str(value): ""}
    kinds = [name for name in options if name in _EXPECTED]
    if len(kinds) != 1:
        raise ValueError(f"it expects one of {', '.join(_EXPECTED)}")
    return _EXPECTED[kinds[0]](options[kinds[0]], {name: each for name, each in options.items() if name != kinds[0]})


def _known(options: Mapping[str, object], *names: str) -> None:
    for name in options:
        if name not in names:
            raise ValueError(f"it knows no '{name}'" + (f", only {', '.join(names)}" if names else ""))


def _within(options: Mapping[str, object], default: float) -> float:
    return _seconds(options["within"]) if "within" in options else default


def _only_within(make: Callable[[float], Step], default: float) -> Callable[[object, Mapping[str, object]], Step]:
    def read_it(value: object, options: Mapping[str, object]) -> Step:
        _known(options)
        return make(_seconds(value) if value != "" else default)

    return read_it


def _status(value: object, options: Mapping[str, object]) -> Step:
    _known(options)
    text = str(value)
    if not (text.isascii() and text.isdigit() and 200 <= int(text) <= 699):
        raise ValueError("a final SIP status lies between 200 and 699")
    return ExpectStatus(int(text))


def _silence(value: object, options: Mapping[str, object]) -> Step:
    _known(options, "within")
    return ExpectSilence(_seconds(value) if value != "" else 1.0, _within(options, 30.0))


def _tone(value: object, options: Mapping[str, object]) -> Step:
    _known(options, "within")
    written = value if isinstance(value, list) else str(value).split("+")
    frequencies = tuple(float(each) for each in written)
    if not all(50 <= frequency <= 3900 for frequency in frequencies):
        raise ValueError("a telephone carries tones from 50 to 3900 Hz")
    return ExpectTone(frequencies, _within(options, 5.0))


def _like(value: object, options: Mapping[str, object]) -> Step:
    _known(options, "within", "voice", "threshold")
    threshold = None if "threshold" not in options else float(str(options["threshold"]))
    if threshold is not None and not 0 < threshold <= 1:
        raise ValueError("a threshold lies between 0 and 1")
    return ExpectLike(_text(value), str(options.get("voice", "slt")), _within(options, 10.0), threshold)


def _keys_heard(value: object, options: Mapping[str, object]) -> Step:
    _known(options, "within")
    return ExpectKeys(_keys(value), _within(options, 5.0))


_EXPECTED: dict[str, Callable[[object, Mapping[str, object]], Step]] = {
    "answer": _only_within(ExpectAnswer, 30.0),
    "audio": _only_within(ExpectAudio, 5.0),
    "turn": _only_within(ExpectTurn, 30.0),
    "silence": _silence,
    "like": _like,
    "tone": _tone,
    "keys": _keys_heard,
    "ended": _only_within(ExpectEnded, 10.0),
    "status": _status,
}
_STEPS: dict[str, Callable[[object], Step]] = {
    "say": lambda value: Say(_text(value)),
    "barge_in": _barge_in,
    "play": lambda value: Play(_text(value)),
    "press": lambda value: Press(_keys(value)),
    "wait": lambda value: Wait(_seconds(value)),
    "listen": lambda value: Wait(_seconds(value)),
    "expect": _expect,
    "hang_up": _hang_up,
}
