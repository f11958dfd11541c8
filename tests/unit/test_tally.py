"""Jobs' counts on top of a registry's."""

from __future__ import annotations

import json

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.tally import Collects, Tally, said


class Process:
    """A process with metrics of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.failed = Counter("failed", "Failures", ["why"], registry=self.registry)
        self.took = Histogram("took_seconds", "Durations", registry=self.registry, buckets=(0.1, 1.0))
        self.now = Gauge("now", "Of this moment", registry=self.registry)

    def says(self) -> object:
        return json.loads(json.dumps(said(self.registry)))


def told(registry: Collects) -> dict[str, float]:
    """Each sample, as a scraper reads it."""
    found = {}
    text = generate_latest(registry).decode()  # type: ignore[arg-type]
    assert text.count("# TYPE failed_total ") <= 1, "a family stands there once"
    for family in text_string_to_metric_families(text):
        for one in family.samples:
            if not one.name.endswith("_created"):
                found[one.name + "".join(f"|{part}" for part in one.labels.values())] = one.value
    return found


def test_jobs_counts_are_added_to_the_workers() -> None:
    worker, one, two, tally = Process(), Process(), Process(), Tally()
    worker.failed.labels("time").inc()
    worker.now.set(3)
    one.failed.labels("time").inc(2)
    one.failed.labels("key").inc(5)
    one.now.set(9)
    for seconds in (0.05, 0.5):
        two.took.observe(seconds)
    tally.told("one", one.says())  # type: ignore[arg-type]
    tally.told("two", two.says())  # type: ignore[arg-type]
    tally.told("two", two.says())  # type: ignore[arg-type]
    found = told(tally.over(worker.registry))
    assert (found["failed_total|time"], found["failed_total|key"], found["now"]) == (3, 5, 3)
    assert (found["took_seconds_count"], found["took_seconds_sum"]) == (2, 0.55)
    assert [found[f"took_seconds_bucket|{le}"] for le in ("0.1", "1.0", "+Inf")] == [1, 2, 2]
    tally.gone("one")
    tally.gone("one")
    assert told(tally.over(worker.registry)) == found, "what has ended counts on, once"
    assert worker.registry.get_sample_value("failed_total", {"why": "time"}) == 1, "the worker's own stay its own"


def test_what_jobs_alone_have_is_told_too() -> None:
    job, tally = Process(), Tally()
    job.failed.labels("time").inc(2)
    job.took.observe(0.5)
    tally.told("job", job.says())  # type: ignore[arg-type]
    found = told(tally.over(CollectorRegistry()))
    assert found["failed_total|time"] == 2
    assert found["took_seconds_count"] == 1
    assert "now" not in found


@pytest.mark.parametrize(
    "nonsense", [3, [3], ["a"], [["a", "b", "counter", [["a", [], 1]]]], [["a", "b", "c", [["a", {}, "x"]]]]]
)
def test_nonsense_changes_nothing(nonsense: object) -> None:
    tally = Tally()
    with pytest.raises((ValueError, TypeError, AttributeError)):
        tally.told("job", nonsense)  # type: ignore[arg-type]
    assert tally.sums() == {}
    assert told(tally.over(CollectorRegistry())) == {}
