"""Wrappers that keep a person's data out of logs by mistake.

A number, digits or words are wrapped where they enter the program. Formatting a wrapper, by `str`, `repr` or an
f-string, shows what kind of thing it is and nothing of it; `reveal()` is the one way out and easy to search for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Personal:
    """A string that belongs to a person. Compare and hash it freely; `reveal()` it only to use it."""

    _value: str

    def reveal(self) -> str:
        """The value itself, for a protocol, a database or a screen meant to show it. Never for a log."""
        return self._value

    def __str__(self) -> str:
        return f"<{type(self).__name__.lower()}>"

    def __repr__(self) -> str:
        return str(self)

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._value)


class Number(Personal):
    """A telephone number or SIP user that `gateway.terms.number` normalised. Its last two digits may be logged."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"<number …{self._value[-2:]}>" if len(self._value) > 5 else "<number>"


class Digits(Personal):
    """Keys a caller pressed."""

    __slots__ = ()


class Words(Personal):
    """What somebody said, or a fact taken from it."""

    __slots__ = ()
