"""Reports both ways, between two ends with clocks of their own."""

from __future__ import annotations

from itertools import pairwise
from struct import unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rtp.quality import mos, scored
from gateway.rtp.rtcp import BYE, INTERVAL, SDES, SR, Control, Sending
from gateway.rtp.statistics import Reception

WALL = 1_764_333_000.25


def ends() -> tuple[Control, Control]:
    return Control(7, "seven", 0.0), Control(9, "nine", 0.0)


def kinds(datagram: bytes) -> list[int]:
    found = []
    while datagram:
        _, kind, words = unpack("!BBH", datagram[:4])
        found.append(kind)
        datagram = datagram[4 * (words + 1) :]
    return found


def test_reports_come_each_few_seconds_and_are_whole() -> None:
    us, _ = ends()
    times = [n / 50 for n in range(3000)]
    made = [
        (now, us.due(now, WALL + now, Sending(int(now * 50), int(now * 8000), int(now * 8000)), None, Reception()))
        for now in times
    ]
    sent = [(now, datagram) for now, datagram in made if datagram is not None]
    assert len(sent) in range(10, 15)
    assert all(later - now >= INTERVAL - 1 for (now, _), (later, _) in pairwise(sent))
    for _, datagram in sent:
        assert kinds(datagram) == [SR, SDES]
        assert len(datagram) % 4 == 0


def test_who_was_told_of_us_is_told_that_we_leave() -> None:
    """RFC 3550 sections 6.1 and 6.3.7."""
    us, _ = ends()
    assert us.bye(1.0, WALL, Sending(50, 8000, 8000), None, Reception()) is None, "nobody knows of us"
    assert us.due(3.0, WALL, Sending(50, 8000, 8000), None, Reception()) is not None
    last = us.bye(4.0, WALL, Sending(100, 16000, 16000), 9, Reception())
    assert last is not None
    assert kinds(last) == [SR, SDES, BYE]
    assert last[-8:] == bytes((0x81, BYE, 0, 1, 0, 0, 0, 7))


@given(st.floats(0.0, 2.0), st.floats(0.0, 4.0), st.floats(-1e6, 1e6))
def test_the_round_trip_is_measured_whatever_the_clocks_say(trip: float, held: float, apart: float) -> None:
    us, them = ends()
    now = 10.0
    report = us.due(now, WALL, Sending(1, 160, 160), None, Reception())
    assert report is not None
    reception = Reception()
    reception.packet(1)
    them.receive(report, now + apart + trip / 2)
    back = them.due(max(now + apart + trip / 2 + held, 10.0 + apart), WALL + apart, Sending(1, 160, 160), 7, reception)
    if back is None:
        return
    us.receive(back, now + trip + held)
    assert us.reports == 1
    assert us.round_trip == pytest.approx(trip, abs=0.01) or held == 0


def test_losses_there_are_told_here() -> None:
    us, them = ends()
    reception = Reception()
    for number in range(1, 101):
        if number % 4:
            reception.packet(number)
    report = them.due(5.0, WALL, Sending(0, 0, 0), 7, reception)
    assert report is not None
    us.receive(report, 5.0)
    assert us.their_lost == 24
    assert us.their_loss == pytest.approx(0.24, abs=0.01)
    us.receive(report.replace(b"\0\0\0\7", b"\0\0\0\6"), 6.0)
    assert us.their_lost == 24, "what is told of others isn't ours"


def test_a_report_that_came_after_the_tick_that_reads_it_was_due() -> None:
    us, them = ends()
    report = them.due(10.0, WALL, Sending(1, 160, 160), None, Reception())
    assert report is not None
    us.receive(report, 10.0005)
    back = us.due(10.0, WALL, Sending(1, 160, 160), 9, Reception())
    assert back is not None
    them.receive(back, 10.001)
    assert them.round_trip == pytest.approx(0.001, abs=0.0005)


@given(st.binary(max_size=200))
def test_nothing_that_comes_is_trouble(data: bytes) -> None:
    us, _ = ends()
    us.receive(data, 1.0)
    us.receive(b"\x81\xc8\x00" + data, 1.0)


@pytest.mark.parametrize(
    ("rating", "score"),
    [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58), (0, 1.0), (100, 4.5), (-5, 1.0), (120, 4.5)],
)
def test_ratings_are_scored_as_g_107_has_them(rating: float, score: float) -> None:
    """Its table B.1, and the ends of its curve."""
    assert scored(rating) == pytest.approx(score, abs=0.01)


@pytest.mark.parametrize(("loss", "rating"), [(0.0, 93.2), (0.01, 89.56), (0.05, 77.42), (0.251, 45.7)])
def test_loss_costs_what_g_113_says_of_g_711_with_concealment(loss: float, rating: float) -> None:
    """Ie 0 and Bpl 25.1: half of 95 is gone where a quarter of the packets is."""
    assert mos(loss, 0.0) == pytest.approx(scored(rating), abs=0.011)


@pytest.mark.parametrize(("delay", "costs"), [(0.1, 2.4), (0.1773, 4.26), (0.2, 7.3), (0.4, 34.1)])
def test_delay_costs_what_the_usual_reading_of_g_107_says(delay: float, costs: float) -> None:
    """0.024 a millisecond, and 0.11 more beyond 177.3 (Cole and Rosenbluth's)."""
    assert mos(0.0, delay) == pytest.approx(scored(93.2 - costs), abs=0.011)


def test_the_estimate_falls_with_loss_and_delay() -> None:
    assert mos(0.0, 0.05) > 4.3
    assert [mos(loss, 0.1) for loss in (0, 0.01, 0.05, 0.2)] == sorted(
        (mos(x, 0.1) for x in (0, 0.01, 0.05, 0.2)), reverse=True
    )
    assert mos(0.0, 0.4) < mos(0.0, 0.1) - 0.4
    assert mos(1.0, 5.0) == 1.0
    assert 3.0 < mos(0.05, 0.1) < 4.0, "5% of loss is heard, and understood"
