"""What a dial plan may set of a talking agent, and the check that turns a route's `settings` into it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.terms.catalogue import SettingFault
from gateway.terms.engine import Engine

FACTS_AT_MOST = 16 * 1024
"""Bytes of a facts file: it goes into every request to the language model."""


class TalkSettings(BaseModel):
    """`settings` of a route whose agent talks. An agent with more of them extends this class."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: tuple[str, ...] | None = Field(
        None, description="What to ask the caller, in this order; all the agent knows to ask when left out."
    )
    check: tuple[str, ...] | None = Field(
        None,
        description="What is read back to the letter, in groups, and corrected by letters or keys: name, for example.",
    )
    never: tuple[str, ...] = Field((), description="What the agent must not do, such as: quote prices.")
    pronounce: dict[str, str] = Field({}, description="How to say a word: as it is written, then as it sounds.")
    facts: str = Field("", description="A text file beside the plan with facts that the agent may tell callers.")
    topic: str = Field("", description="What callers of this number call about.")
    engines: dict[Engine, tuple[str, ...]] = Field(
        {},
        description="Who hears (stt), thinks (llm) and speaks (tts) here, the first first: names of the links that the "
        "operator's chains have. All of a chain when left out.",
    )


class NoSettings(BaseModel):
    """`settings` of an agent that has none."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def schema(model: type[BaseModel], fields: Sequence[str]) -> dict[str, object]:
    """The JSON Schema of `settings`; `fields` are those of the agent's record, the values that `ask` may have."""
    schema = model.model_json_schema()
    for name in {"ask", "check"} & set(schema["properties"]):
        schema["properties"][name] = {
            "type": "array",
            "items": {"enum": list(fields)},
            "uniqueItems": True,
            "description": schema["properties"][name]["description"],
        }
    return schema


def settle(
    model: type[BaseModel], fields: Sequence[str], given: Mapping[str, object], directory: Path
) -> tuple[Mapping[str, object], Sequence[SettingFault]]:
    """Check `given` (see gateway.terms.catalogue.Settle); on a fault the settings returned are {}."""
    try:
        settings = model.model_validate(given)
    except ValidationError as bad:
        return {}, [_fault(model, path=tuple(e["loc"]), kind=e["type"], what=e["msg"]) for e in bad.errors()]
    settled = settings.model_dump(mode="json", exclude_unset=True)
    faults = [] if not isinstance(settings, TalkSettings) else _asked(settings, fields)
    if isinstance(settings, TalkSettings) and settings.facts:
        try:
            settled["facts"] = _read(directory, settings.facts)
        except ValueError as bad:
            faults.append(SettingFault(("facts",), str(bad)))
    return ({}, faults) if faults else (settled, ())


def _fault(model: type[BaseModel], *, path: tuple[str | int, ...], kind: str, what: str) -> SettingFault:
    if kind != "extra_forbidden":
        return SettingFault(path, f"{what[:1].lower()}{what[1:]}")
    return SettingFault(path, f"there is no setting '{path[-1]}'.{_near(str(path[-1]), list(model.model_fields))}")


def _asked(settings: TalkSettings, fields: Sequence[str]) -> list[SettingFault]:
    faults = []
    for word, names in (("ask", settings.ask or ()), ("check", settings.check or ())):
        for place, name in enumerate(names):
            if name not in fields:
                what = f"the agent doesn't know how to ask for '{name}'.{_near(name, fields)}"
                faults.append(SettingFault((word, place), what))
            elif name in names[:place]:
                faults.append(SettingFault((word, place), f"'{name}' is there twice."))
    return faults


def _near(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{near[0]}'?" if near else f" It knows: {', '.join(known) or 'nothing'}."


def _read(directory: Path, name: str) -> str:
    path = (directory / name).resolve()
    if not path.is_relative_to(directory.resolve()):
        raise ValueError(f"'{name}' lies outside the dial plans' directory.")
    try:
        data = path.read_bytes()
    except OSError as bad:
        raise ValueError(f"'{name}' can't be read: {bad.strerror}.") from bad
    if len(data) > FACTS_AT_MOST:
        raise ValueError(f"'{name}' has {len(data)} bytes; at most {FACTS_AT_MOST} fit into a conversation.")
    try:
        return data.decode("utf-8").strip()
    except UnicodeDecodeError as bad:
        raise ValueError(f"'{name}' isn't UTF-8 text.") from bad
