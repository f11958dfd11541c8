"""What the agent has found out: the record filled in by a language model's tool calls. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import ValidationError

from agents.definition import Definition, DigitField
from gateway.terms.lead import CONFIRMED
from gateway.terms.personal import Digits
from gateway.terms.sealed import is_sealed


class Facts:
    """The facts so far; `add` what a tool call tells."""

    def __init__(self, definition: Definition, asked: Sequence[str]) -> None:
        self._definition, self._asked = definition, tuple(asked)
        self.known: dict[str, object] = {}
        """What the record is to hold; sealed values sealed."""
        self.confirmed: list[str] = []
        """What the caller has heard read back and said is right."""
        self._sealed: dict[str, Digits] = {}

    @property
    def told(self) -> dict[str, object]:
        """What the record is to hold, and what of it is confirmed."""
        return {**self.known, CONFIRMED: list(self.confirmed)} if self.confirmed else self.known

    def confirm(self, name: str) -> None:
        """The caller has said that it is right as it is now."""
        self.confirmed = [*(one for one in self.confirmed if one != name), name]

    def add(self, told: Mapping[str, object]) -> str:
        """Take in what isn't null; returns what is wrong with it, for the model, "" when nothing is. Names that the
        record doesn't have are passed over, and a wrong value keeps the right ones from nothing. What was sealed stays:
        a model knows nothing of it."""
        model = self._definition.record
        if model is None:
            return ""
        wrong = []
        for name, value in told.items():
            if name not in model.model_fields or name in self._sealed or value in (None, "", []):
                continue
            try:
                read = model.model_validate({name: value})
            except ValidationError as bad:
                wrong.append(f"{name}: {bad.errors()[0]['msg']}")
            else:
                if self.known.get(name) != getattr(read, name) and name in self.confirmed:
                    self.confirmed.remove(name)
                self.known[name] = getattr(read, name)
        return "; ".join(wrong)

    def seal(self, name: str, digits: Digits, sealed: str) -> None:
        """Take in what the caller keyed in, where the route seals it; `sealed` is what the record gets."""
        self._sealed[name], self.known[name] = digits, sealed

    def restore(self, kept: Mapping[str, object], opened: Callable[[str, str], Digits | None]) -> None:
        """Take in what another job has kept of the record. `opened`: what was sealed under a name; None for what can't
        be opened, which stays as it is."""
        self.add({name: value for name, value in kept.items() if not is_sealed(value)})
        if isinstance(confirmed := kept.get(CONFIRMED), list):
            self.confirmed = [str(name) for name in confirmed]
        for name, value in kept.items():
            if is_sealed(value):
                self.known[name] = value
                if (digits := opened(name, str(value))) is not None:
                    self._sealed[name] = digits

    def digits(self, name: str) -> Digits | None:
        """What was sealed under the name, for a tool of the job's own that needs it."""
        return self._sealed.get(name)

    @property
    def complete(self) -> bool:
        """Whether all that is asked for is known."""
        return all(name in self.known for name in self._asked)


def save_schema(definition: Definition, *, sealed: bool = False) -> dict[str, object]:
    """The tool by which a model saves facts: each may be null, so that facts are saved as they come. `sealed`: what is
    made of digits is asked to be keyed in, not said."""
    model = definition.record
    schema = model.model_json_schema() if model else {"properties": {}}
    properties = {
        name: {key: value for key, value in one.items() if key not in ("default", "title") and not key.startswith("x-")}
        for name, one in schema["properties"].items()
    }
    for one in definition.digit_fields if sealed else ():
        properties[one.name]["description"] = _to_be_keyed(one)
    return {
        "name": f"save_{definition.kind}",
        "description": f"Save what the caller told for the {definition.kind}; null for what they didn't tell now.",
        "parameters": {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    }


def _to_be_keyed(one: DigitField) -> str:
    """A description that holds the question itself, twice (see gateway.speech.dialogue)."""
    return (
        f"your {one.noun}. Could you key in your {one.noun}, then press the hash key? "
        f"Would you please key in your {one.noun} on your phone, then press the hash key?"
    )
