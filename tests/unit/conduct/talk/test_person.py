"""What a caller gets who asks for a person."""

from __future__ import annotations

import pytest

from gateway.conduct.talk.person import answer
from gateway.conduct.talk.port import Person
from gateway.terms.call import Brief
from gateway.terms.personal import Number


@pytest.mark.parametrize(
    ("human", "caller", "person"),
    [
        ("desk", "+15105550177", Person.AGENT),
        ("desk", None, Person.AGENT),
        ("sales", "+15105550177", Person.CALLBACK),
        ("", "+15105550177", Person.CALLBACK),
        ("", None, Person.NUMBER),
        ("", "anonymous", Person.NUMBER),
        ("", "+1911", Person.NUMBER),
    ],
)
def test_answer(human: str, caller: str | None, person: Person) -> None:
    assert answer(Brief("sales", human=human), "sales", Number(caller) if caller else None) is person
