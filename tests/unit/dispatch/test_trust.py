"""Leases are believed when jobs have had the time to renew them."""

from __future__ import annotations

from gateway.calls.store.port import Standing
from gateway.conduct.lease import ANSWER_WITHIN, RENEW
from gateway.dispatch.trust import SETTLES, SLOW, Trust
from gateway.terms.times import patience

OLD = Standing("a", 1e6)


def test_nothing_is_believed_before_the_store_has_answered() -> None:
    assert not Trust().settled(5.0)
    assert Trust().answered(OLD, 0.01, 5.0).settled(5.0)


def test_a_store_that_has_begun_with_us_is_waited_for() -> None:
    trust = Trust().answered(Standing("a", 1.0), 0.01, 5.0)
    assert not trust.settled(5.0 + SETTLES - 1.1)
    assert trust.settled(5.0 + SETTLES - 1.0)


def test_after_an_outage_one_lease_passes() -> None:
    trust = Trust().answered(OLD, 0.01, 5.0).failed()
    assert not trust.settled(100.0)
    back = trust.answered(OLD, 0.01, 100.0)
    assert not back.forgot(trust)
    assert not back.settled(100.0 + SETTLES - 0.1)
    again = back.answered(OLD, 0.01, 100.5)
    assert again.settled(100.0 + SETTLES), "a second answer doesn't begin it anew"


def test_a_freeze_that_nobody_timed_out_on_counts() -> None:
    trust = Trust().answered(OLD, 0.01, 5.0)
    assert trust.answered(OLD, SLOW - 0.1, 7.0).settled(7.0)
    assert not trust.answered(OLD, SLOW, 7.0).settled(7.0)


def test_another_run_may_have_forgotten() -> None:
    trust = Trust().answered(OLD, 0.01, 5.0)
    other = trust.answered(Standing("b", 0.5), 0.01, 6.0)
    assert other.forgot(trust)
    assert not trust.forgot(Trust()), "the first is no other"
    assert not other.settled(6.0 + SETTLES - 0.1)


def test_a_lease_outlives_what_isnt_noticed_and_jobs_renew_in_time() -> None:
    assert RENEW + SLOW < patience(0)
    assert RENEW + ANSWER_WITHIN < SETTLES
    assert patience(0) <= SETTLES
