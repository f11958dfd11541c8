"""What becomes of a sentence when a provider fails in it: every fault × every engine × every moment of an answer.

`python -m pytest tests/contract/test_provider_faults.py` takes half a minute: many cases run at once, before the
first test of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from gateway.health.circuit import AUTH, FIRST, Reason, State
from gateway.terms.engine import Engine
from tests.faults import table
from tests.faults.faults import Does, Phase
from tests.faults.provider import ANSWER, PER_LETTER, WORDS

CASES = table.cases()


@pytest.fixture(scope="module")
def outcomes() -> Mapping[table.Case, table.Outcome]:
    return asyncio.run(table.run(CASES))


def _slow(case: table.Case) -> bool:
    return case.fault.does is Does.DELAY


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.timeout(180)
def test_nothing_is_lost_of_a_sentence(case: table.Case, outcomes: Mapping[table.Case, table.Outcome]) -> None:
    found = outcomes[case]
    assert found.error == ""
    assert found.struck >= 1, "the fault was done"
    match case.engine:
        case Engine.STT:
            assert found.said == " ".join(WORDS), "each word, from its first sample to its last, once"
        case Engine.LLM:
            assert found.said == "".join(ANSWER), "the whole answer, once"
        case Engine.TTS:
            whole = len(table.SENTENCE) * PER_LETTER
            again = 0.35 * whole if case.fault.phase is Phase.MIDDLE else 0.0
            assert whole - 0.05 <= found.seconds <= whole + again + 0.1, "all of it; hardly anything twice"


@pytest.mark.parametrize("case", [case for case in CASES if not _slow(case)], ids=str)
def test_the_switch_is_told_with_its_reason(case: table.Case, outcomes: Mapping[table.Case, table.Outcome]) -> None:
    found = outcomes[case]
    assert found.switches[:1], "it was told"
    engine, before, now, why = found.switches[0]
    assert (engine, before, now) == (case.engine, "cloud", "local")
    reason = {401: "auth", 429: "rate", 404: "refused"}.get(case.fault.status if case.fault.does is Does.STATUS else 0)
    assert why == reason if reason else why in {"timeout", "fault", "late", "refused"}


@pytest.mark.parametrize("case", [case for case in CASES if not _slow(case)], ids=str)
def test_every_call_knows_for_how_long_to_keep_away(
    case: table.Case, outcomes: Mapping[table.Case, table.Outcome]
) -> None:
    circuit = outcomes[case].circuit
    if Reason.REFUSED in {told[3] for told in outcomes[case].switches}:
        assert case.fault.status == 404, "what isn't HTTP refuses nothing"
        assert circuit.state is State.CLOSED, "a request was refused, not all of them"
        return
    assert circuit.state is State.OPEN
    wait = {401: AUTH, 429: 7.0}.get(case.fault.status if case.fault.does is Does.STATUS else 0, FIRST)
    assert circuit.until - table.NOW == wait


def test_who_is_only_late_stays_in_use(outcomes: Mapping[table.Case, table.Outcome]) -> None:
    slow = {str(case): outcomes[case].circuit.state for case in CASES if _slow(case)}
    assert set(slow.values()) == {State.CLOSED}, slow
