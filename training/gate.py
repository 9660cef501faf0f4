"""The gate: what a challenger must show before it may answer anyone.

Not worse than its reference on the same cases, golden rows reproduced from the written bundle,
size and latency within limits. Knows nothing of pointers, of MLflow or of how cases are made.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import BundleRefused, GateFailed
from models.bundle import Bundle, Metric, check_golden

Cases = Mapping[str, npt.NDArray[np.float64]]
"""Metric name → one value a test case, float64[cases]; row i is the same case for everyone."""


class Check(NamedTuple):
    """One thing the gate looked at: its name, whether it holds, and one sentence why."""

    name: str
    passed: bool
    detail: str


@dataclass(slots=True, frozen=True)
class Contest:
    """The cases of every contender, a few words on how the champion took part, and what else a
    family asks of whoever would take the champion's place.

    quality: what decides in place of cases, where held-out cases cannot tell.
    """

    cases: Mapping[str, Cases]
    note: str = ""
    checks: tuple[Check, ...] = ()
    quality: Check | None = None


@dataclass(slots=True, frozen=True)
class GateSettings:
    """What the gate asks.

    metric: the metric that decides. margin: how much of the reference's value may be lost at
    worst. max_bytes: of the whole bundle. max_latency_ms: median over the golden rows of one
    scoring each. rounds, seed: of the bootstrap.
    """

    metric: str = "ndcg_at_10"
    margin: float = 0.05
    max_bytes: int = 2 * 2**30
    max_latency_ms: float = 20.0
    rounds: int = 2_000
    seed: int = 0


def paired_difference(
    ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64], rounds: int, seed: int
) -> Metric:
    """Answer the mean of ours − theirs over the same cases, with its 95 % percentile interval.

    Paired bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, ch. 13):
    cases are drawn with replacement, each with both its values. Both arrays float64[cases].
    Raises ValueError when they are not of one length or are empty.
    """
    if ours.shape != theirs.shape or not ours.size:
        raise ValueError("a paired comparison needs the same cases, at least one")
    difference = ours - theirs
    # Resampling the distinct differences by how often they come up is the same draw, and fast:
    # a ranking metric takes few values, most often 0.
    values, counts = np.unique(difference, return_counts=True)
    rng = np.random.default_rng(seed)
    share, size = counts / difference.size, difference.size
    means = [rng.multinomial(size, share) @ values / size for _ in range(rounds)]
    low, high = np.quantile(means, (0.025, 0.975))
    return Metric(float(difference.mean()), float(low), float(high))


def check_quality(
    challenger: Cases, reference: Cases, name: str, settings: GateSettings, *, proven: bool = True
) -> Check:
    """Ask that the challenger is not worse than the reference called `name`.

    With d the paired bootstrap interval of (challenger − reference), value, low and high, and
    least = −margin × the reference's mean:

    proven      low ≥ least: with 97.5 % confidence no more than that share is lost. Asked of
                whoever wants to take a champion's place.
    not proven  value ≥ least and high ≥ 0: not seen to be worse. Asked of a first release,
                which takes nobody's place; a small log settles no more.
    """
    ours, theirs = challenger[settings.metric], reference[settings.metric]
    found = paired_difference(ours, theirs, settings.rounds, settings.seed)
    # Rounding of a mean must not fail a model against its equal.
    least = -settings.margin * float(theirs.mean()) - 1e-12
    passed = found.low >= least if proven else found.value >= least and found.high >= 0
    wanted = "at the lower end" if proven else "and an upper end of at least 0"
    detail = (
        f"{settings.metric} {ours.mean():.4f} against {theirs.mean():.4f} of the {name}: "
        f"difference {found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}] over "
        f"{ours.size:,} cases, at least {least:+.4f} wanted {wanted}"
    )
    if not passed and found.high >= 0:
        detail += "; the cases do not settle it: gather more, or widen --margin"
    return Check("quality", passed, detail)


def _check_golden(bundle: Bundle, scorer: Any) -> Check:
    try:
        rows = check_golden(bundle, scorer.answer)
    except BundleRefused as error:
        return Check("golden", False, str(error))
    if not rows:
        return Check("golden", False, "the bundle holds no golden rows to reproduce")
    return Check("golden", True, f"{rows} rows reproduced from the written bundle")


def _check_size(bundle: Bundle, settings: GateSettings) -> Check:
    size, most = bundle.manifest.size, settings.max_bytes
    return Check("size", size <= most, f"{size / 1e6:,.1f} MB of at most {most / 1e6:,.1f}")


def _check_latency(
    bundle: Bundle, scorer: Any, settings: GateSettings, timer: Callable[[], float]
) -> Check:
    taken: list[float] = []
    # The first pass compiles and warms; three more are timed.
    for turn in range(4):
        for row in bundle.golden.rows:
            start = timer()
            scorer.answer(row["input"])
            if turn:
                taken.append((timer() - start) * 1000)
    median = float(np.median(taken)) if taken else 0.0
    detail = f"{median:.2f} ms median of at most {settings.max_latency_ms:.2f}"
    return Check("latency", median <= settings.max_latency_ms, detail)


def run_gate(
    bundle: Bundle,
    scorer: Any,
    quality: Check,
    settings: GateSettings,
    timer: Callable[[], float] = time.perf_counter,
) -> list[Check]:
    """Look at everything and answer every check; nothing is left out when an early one fails."""
    golden = _check_golden(bundle, scorer)
    checks = [quality, golden, _check_size(bundle, settings)]
    if golden.passed:
        checks.append(_check_latency(bundle, scorer, settings, timer))
    return checks


def demand(bundle: Bundle, checks: list[Check]) -> None:
    """Raise GateFailed, listing every check that does not hold, if there is one."""
    failed = [f"{check.name}: {check.detail}" for check in checks if not check.passed]
    if failed:
        raise GateFailed(
            f"{bundle.family}/{bundle.version} may not be released; nothing was moved\n  - "
            + "\n  - ".join(failed)
        )
