"""Prometheus metrics of every process. Names end in their unit; no label ever holds a person's data."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gateway.tally import Tally

REGISTRY = CollectorRegistry()
"""One registry a process, without the default collectors of other libraries."""
JOBS = Tally()
"""What the jobs of this process have counted in theirs."""

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.3, 2.0, 3.0, 5.0, 10.0, 30.0)

_SCORES = (1.5, 2.0, 2.5, 3.0, 3.3, 3.6, 3.8, 4.0, 4.2, 4.3, 4.41)


def counter(name: str, help_text: str, *labels: str) -> Counter:
    """A counter `offhook_<name>_total`."""
    return Counter(f"offhook_{name}", help_text, labels, registry=REGISTRY)


def gauge(name: str, help_text: str, *labels: str) -> Gauge:
    """A gauge `offhook_<name>`."""
    return Gauge(f"offhook_{name}", help_text, labels, registry=REGISTRY)


def seconds(name: str, help_text: str, *labels: str) -> Histogram:
    """A histogram of durations, `offhook_<name>_seconds`."""
    return Histogram(f"offhook_{name}_seconds", help_text, labels, registry=REGISTRY, buckets=_SECONDS)


def scores(name: str, help_text: str, *labels: str) -> Histogram:
    """A histogram of mean opinion scores, 1 to 4.5: `offhook_<name>`."""
    return Histogram(f"offhook_{name}", help_text, labels, registry=REGISTRY, buckets=_SCORES)


EDGE_ERRORS = counter("unexpected_errors", "Errors caught at a process's edge", "where")
"""What `except Exception` at a process's edge counts; anything but 0 is a bug to look at."""


def exposition() -> bytes:
    """The registry, with what jobs have counted, in Prometheus's text format."""
    return generate_latest(JOBS.over(REGISTRY))
