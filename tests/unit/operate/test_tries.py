"""Wrong links, counted."""

from __future__ import annotations

from gateway.operate.tries import MOST, WITHIN, Tries


def test_a_few_wrong_links_are_nothing_and_many_are_too_many_until_time_has_passed() -> None:
    tries = Tries()
    assert not any(tries.wrong("10.0.0.1", 100.0 + n / 10) for n in range(MOST))
    assert tries.wrong("10.0.0.1", 102.5)
    assert not tries.wrong("10.0.0.2", 102.5), "another's"
    assert not any(tries.wrong("10.0.0.1", 102.5 + 2 * WITHIN + n) for n in range(3))


def test_only_so_many_addresses_are_remembered() -> None:
    tries = Tries()
    for n in range(5000):
        tries.wrong(f"10.0.{n // 256}.{n % 256}", 100.0)
    assert len(tries._wrong) <= 1000
