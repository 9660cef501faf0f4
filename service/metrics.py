"""The figures an operator watches, as Prometheus metrics; no label ever holds an id.

With several workers the values live in files under PROMETHEUS_MULTIPROC_DIR (set by
`service.__main__` before this module is imported) and any worker can answer for all.
"""

import os
from collections.abc import Callable
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

SECONDS = (
    0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
)  # fmt: skip
"""Upper edges of the latency histograms' buckets, in seconds."""

AGES = (1.0, 60.0, 600.0, 3_600.0, 21_600.0, 86_400.0, 604_800.0, 2_592_000.0, 15_552_000.0)
"""Upper edges of the ages' buckets, in seconds: a second to half a year."""


class Metrics:
    """Every metric of one worker, on a registry of its own."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self.registry = registry

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(name, text, labels, namespace="sanderling", registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(
                name, text, labels, namespace="sanderling", registry=registry,
                multiprocess_mode="livemostrecent",
            )  # fmt: skip

        def each(name: str, text: str) -> Gauge:
            """Make a gauge of which every worker shows its own."""
            return Gauge(
                name, text, namespace="sanderling", registry=registry, multiprocess_mode="liveall"
            )

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(
                name, text, labels, namespace="sanderling", registry=registry, buckets=buckets
            )

        self.requests = counter("requests", "Requests answered", "route", "method", "status")
        self.seconds = histogram(
            "request_seconds", "From the first byte read to the last sent", SECONDS, "route"
        )
        self.stages = histogram(
            "stage_seconds", "Time in one stage of an answer", SECONDS, "route", "stage"
        )
        self._observers: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._ages: dict[str, Histogram] = {}
        self.unexpected = counter("unexpected_errors", "Errors nobody expected", "route")
        self.disconnects = counter("disconnects", "Callers gone before their answer", "route")
        self.events = counter("events", "Events by what became of them", "outcome")
        self._accepted = self.events.labels("accepted")
        self._duplicates = self.events.labels("duplicate")
        self._rejected = self.events.labels("rejected")
        self.rejects = counter("rejects", "Refused rows and requests", "route", "code")
        self.fallbacks = counter("fallbacks", "Degraded answers", "route", "fallback")
        self.feature_age = histogram(
            "feature_age_seconds", "Age of the newest event an answer rests on", AGES, "route"
        )
        self.store_up = gauge("store_up", "1 while the store answers, else 0")
        self.model_loaded = gauge("model_loaded", "1 for the version in use", "family", "version")
        self.model_fitted_at = gauge(
            "model_fitted_timestamp_seconds", "When the model in use was fitted", "family"
        )
        self.bundle_loads = counter("bundle_loads", "Bundles swapped in", "family")
        self.bundle_refusals = counter("bundle_refusals", "Bundles that failed checks", "family")
        self.model_paths = counter(
            "model_paths", "Answers of models that have several ways, by way", "family", "path"
        )
        self.catalogue_items = gauge("catalogue_items", "Items held in memory")
        self.scores = counter("scores", "Scores to be cached, by what became of them", "outcome")
        self.decisions = counter("decisions", "Decisions by what became of them", "outcome")
        self.bids = counter("bids", "Bids sent to exchanges")
        self.no_bids = counter("no_bids", "Bid requests without a bid", "nbr", "cause")
        self.bid_users = counter("bid_users", "Users of bid requests by what was known", "outcome")
        self.guarded = counter(
            "bid_guards", "Values that could not be true and were left out", "guard", "cause"
        )
        self._count_learning(counter, each)
        self._count_mixes(counter, gauge)
        self.notices = counter("notices", "Notices by what became of them", "word", "outcome")
        self._no_bids: dict[tuple[int, str], Counter] = {}

    def _count_learning(
        self, counter: Callable[..., Counter], each: Callable[[str, str], Gauge]
    ) -> None:
        """Count what is learned from bids."""
        self.lessons = counter("bid_lessons", "What notices and outcomes taught", "outcome")
        self.bid_outcomes = counter(
            "bid_outcomes",
            "Clicks and purchases that quote a bid, by what became of them",
            "outcome",
        )
        self.lessons_waiting = each("bid_lessons_waiting", "Notices and outcomes to learn from")
        self.landscape_location = each(
            "bid_landscape_location", "Log of typical cpm micros to beat"
        )
        self.lore_clicks = each(
            "bid_lore_clicks", "Clicks behind what is believed, faded ones less"
        )
        self.landscape_notices = each("bid_landscape_notices", "Notices behind it, faded ones less")

    def _count_mixes(self, counter: Callable[..., Counter], gauge: Callable[..., Gauge]) -> None:
        """Count what is learned from recommendations."""
        self.rewards = counter(
            "recommend_rewards", "Outcomes that quote an answer, by what became of them", "outcome"
        )
        self.reception_lessons = counter("recommend_lessons", "What answers taught", "outcome")
        self.mix_answers = gauge("recommend_mix_answers", "Answers by mix, faded ones less", "mix")
        self.mix_rewards = gauge("recommend_mix_rewards", "What they earned, likewise", "mix")
        self.mix_belief = gauge(
            "recommend_mix_belief", "Reward a mix is believed to earn in an even context", "mix"
        )

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time one answer; `route` is a pattern and `method` a known one."""
        key = (route, method, status)
        observers = self._observers.get(key)
        if observers is None:
            observers = self._observers[key] = (
                self.requests.labels(route, method, str(status)),
                self.seconds.labels(route),
            )
        observers[0].inc()
        observers[1].observe(seconds)

    def observe_age(self, route: str, seconds: float) -> None:
        """Note the age of the newest event that an answer of `route` rests on."""
        observer = self._ages.get(route)
        if observer is None:
            observer = self._ages[route] = self.feature_age.labels(route)
        observer.observe(seconds)

    def count_events(self, accepted: int, duplicates: int, rejected: int) -> None:
        """Count what became of one body's events."""
        if accepted:
            self._accepted.inc(accepted)
        if duplicates:
            self._duplicates.inc(duplicates)
        if rejected:
            self._rejected.inc(rejected)

    def count_bids(self, count: int) -> None:
        """Count bids that go out."""
        self.bids.inc(count)

    def count_no_bid(self, reason: int, cause: str) -> None:
        """Count a bid request without a bid, by the exchanges' code and our word for why."""
        key = (reason, cause)
        counter = self._no_bids.get(key)
        if counter is None:
            counter = self._no_bids[key] = self.no_bids.labels(str(reason), cause)
        counter.inc()

    def exposition(self) -> bytes:
        """Answer all metrics (of all workers, when there are several) in text format 0.0.4."""
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not folder:
            return generate_latest(self.registry)
        _forget_the_dead(Path(folder))
        gathered = CollectorRegistry()
        multiprocess.MultiProcessCollector(gathered)
        return generate_latest(gathered)


def _forget_the_dead(folder: Path) -> None:
    """Let go of the gauges of workers that are no more; their counters stay."""
    for file in folder.glob("gauge_live*_*.db"):
        pid = file.stem.rpartition("_")[2]
        if pid.isdigit() and not _is_alive(int(pid)):
            multiprocess.mark_process_dead(int(pid), str(folder))  # pyright: ignore[reportUnknownMemberType]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
