"""Leases are believed when jobs have had the time to renew them."""

from __future__ import annotations

from dataclasses import replace

from gateway.calls.store.port import Standing
from gateway.conduct.lease import ANSWER_WITHIN, RENEW
from gateway.dispatch.trust import GAP, SETTLES, SLOW, Trust
from gateway.dispatch.watching import WATCH
from gateway.terms.times import patience

OLD = Standing("a", 1e6)


def test_nothing_is_believed_before_the_store_has_answered() -> None:
    assert not Trust().settled(5.0)
    assert Trust().answered(OLD, 0.01, 5.0).settled(5.0)


def test_a_store_that_has_begun_with_us_is_waited_for() -> None:
    trust = replace(Trust().answered(Standing("a", 1.0), 0.01, 5.0), looked=7.0)
    assert not trust.settled(5.0 + SETTLES - 1.1)
    assert trust.settled(5.0 + SETTLES - 1.0)


def test_after_an_outage_one_lease_passes() -> None:
    trust = Trust().answered(OLD, 0.01, 5.0).failed()
    assert not trust.settled(100.0)
    back = trust.answered(OLD, 0.01, 100.0)
    assert not back.forgot(trust)
    assert not back.settled(100.0 + SETTLES - 0.1)
    again = back.answered(OLD, 0.01, 101.5).answered(OLD, 0.01, 103.0)
    assert again.settled(100.0 + SETTLES), "a second answer doesn't begin it anew"


def test_a_freeze_that_nobody_timed_out_on_counts() -> None:
    trust = Trust().answered(OLD, 0.01, 5.0)
    assert trust.answered(OLD, SLOW - 0.1, 6.9).settled(6.9)
    assert not trust.answered(OLD, SLOW, 6.9).settled(6.9)


def test_a_standstill_of_ours_in_which_no_job_may_have_renewed_counts() -> None:
    """Such as of a whole host, while a snapshot of it is made."""
    trust = Trust().answered(OLD, 0.01, 5.0)
    assert trust.settled(5.0 + GAP - 0.1)
    assert not trust.settled(5.0 + GAP), "whoever is awake before the next look believes nothing"
    woken = trust.answered(OLD, 0.01, 5.0 + GAP)
    assert not woken.settled(5.0 + GAP)
    looked = woken.answered(OLD, 0.01, 7.5).answered(OLD, 0.01, 9.0).answered(OLD, 0.01, 10.5)
    assert looked.settled(5.0 + GAP + SETTLES)


def test_a_standstill_that_our_own_clock_had_a_part_in_counts() -> None:
    trust = Trust().answered(replace(OLD, clock=50.0), 0.01, 5.0)
    assert trust.answered(replace(OLD, clock=51.9), 0.01, 5.5).settled(5.5)
    assert not trust.answered(replace(OLD, clock=52.0), 0.01, 5.5).settled(5.5)


def test_another_run_may_have_forgotten() -> None:
    trust = Trust().answered(OLD, 0.01, 5.0)
    other = trust.answered(Standing("b", 0.5), 0.01, 6.0)
    assert other.forgot(trust)
    assert not trust.forgot(Trust()), "the first is no other"
    assert not other.settled(6.0 + SETTLES - 0.1)


def test_a_lease_outlives_what_isnt_noticed_and_jobs_renew_in_time() -> None:
    assert RENEW + SLOW < patience(0)
    assert RENEW + GAP <= patience(0)
    assert WATCH + SLOW <= GAP, "a slow answer is no standstill"
    assert RENEW + ANSWER_WITHIN < SETTLES
    assert patience(0) <= SETTLES
