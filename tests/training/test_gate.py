"""The gate: intervals that cover, the stated rule at its edge, every failed check listed."""

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import GateFailed
from training.gate import Check, GateSettings, check_quality, demand, paired_difference, run_gate

GOOD = Check("quality", True, "fine")


def test_equal_models_differ_by_nothing():
    values = np.random.default_rng(1).random(50)
    assert paired_difference(values, values.copy(), 500, 0) == (0, 0, 0)


def test_the_interval_is_that_of_the_naive_bootstrap():
    rng = np.random.default_rng(2)
    ours, theirs = rng.random(400), rng.random(400)
    found = paired_difference(ours, theirs, 4_000, 0)
    difference = ours - theirs
    means = [rng.choice(difference, 400).mean() for _ in range(4_000)]
    assert found.value == pytest.approx(difference.mean())
    np.testing.assert_allclose(
        (found.low, found.high), np.quantile(means, (0.025, 0.975)), atol=3e-3
    )


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(200):
        ours = rng.random(100) < 0.4
        theirs = np.where(rng.random(100) < 0.5, ours, rng.random(100) < 0.4)
        found = paired_difference(ours.astype(float), theirs.astype(float), 400, 0)
        covered += found.low <= 0 <= found.high
    assert 0.88 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval():
    rng = np.random.default_rng(4)
    ours, theirs = rng.random(30), rng.random(30)
    assert paired_difference(ours, theirs, 100, 5) == paired_difference(ours, theirs, 100, 5)


@pytest.mark.parametrize("ours", [np.zeros(0), np.zeros(3)])
def test_a_comparison_needs_the_same_cases(ours):
    with pytest.raises(ValueError, match="same cases"):
        paired_difference(ours, np.zeros(0) if ours.size else ours, 10, 0)


def quality(lost: float, settings: GateSettings) -> Check:
    theirs = np.full(100, 0.5)
    return check_quality({"m": theirs - lost}, {"m": theirs}, "champion", settings)


def test_the_rule_holds_at_its_edge_and_fails_beyond():
    settings = GateSettings(metric="m", margin=0.1)
    assert quality(-0.2, settings).passed
    assert quality(0.0, replace(settings, margin=0.0)).passed
    assert quality(0.05, settings).passed
    failed = quality(0.0501, settings)
    assert not failed.passed
    assert "champion" in failed.detail
    assert "do not settle it" not in failed.detail


def test_too_few_cases_are_told_from_a_worse_model():
    rng = np.random.default_rng(5)
    theirs = rng.random(20)
    check = check_quality(
        {"m": rng.permutation(theirs)}, {"m": theirs}, "champion", GateSettings(metric="m")
    )
    assert not check.passed
    assert "do not settle it" in check.detail


def test_a_first_release_need_only_not_be_seen_to_be_worse():
    rng = np.random.default_rng(5)
    theirs = rng.random(20)
    few = {"m": rng.permutation(theirs)}
    settings = GateSettings(metric="m", margin=0.1)

    def first(ours, reference):
        return check_quality(ours, {"m": reference}, "popularity", settings, proven=False).passed

    assert first(few, theirs)
    many = rng.random(4_000)
    assert first({"m": many + 0.01}, many)
    # Surely worse, though by less than the margin; and worse by more than the margin.
    assert not first({"m": many - 0.01}, many)
    assert not first({"m": rng.permutation(many) - 0.1}, many)


class Ticks:
    """A timer that says each scoring took `ms`."""

    def __init__(self, ms: float) -> None:
        self.now, self.step = 0.0, ms / 1000

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def toy_scorer(bundle):
    from models.families import load_scorer

    return load_scorer(bundle, golden=False)


def test_a_good_bundle_passes_every_check(add_toy):
    bundle = add_toy(0.5)
    checks = run_gate(bundle, toy_scorer(bundle), GOOD, GateSettings(), Ticks(19))
    assert [check.name for check in checks] == ["quality", "golden", "size", "latency"]
    assert all(check.passed for check in checks)
    demand(bundle, checks)


def test_every_failed_check_is_listed(add_toy):
    bundle = add_toy(0.5)
    settings = GateSettings(max_bytes=10, max_latency_ms=5)
    bad = Check("quality", False, "worse")
    checks = run_gate(bundle, toy_scorer(bundle), bad, settings, Ticks(6))
    with pytest.raises(GateFailed) as caught:
        demand(bundle, checks)
    text = str(caught.value)
    assert "nothing was moved" in text
    assert [line.split(":")[0].removeprefix("  - ") for line in text.splitlines()[1:]] == [
        "quality",
        "size",
        "latency",
    ]
    assert "6.00 ms median of at most 5.00" in text


def test_a_scorer_that_drifted_fails_golden_and_is_not_timed(add_toy):
    bundle = add_toy(0.5)
    scorer = toy_scorer(bundle)
    scorer.factor = 0.6
    checks = run_gate(bundle, scorer, GOOD, GateSettings(), Ticks(1))
    assert [check.name for check in checks if not check.passed] == ["golden"]
    assert "latency" not in [check.name for check in checks]


def test_a_bundle_without_golden_rows_may_not_pass(add_toy):
    from models.bundle import Golden

    bundle = add_toy(0.5, golden=Golden())
    checks = run_gate(bundle, toy_scorer(bundle), GOOD, GateSettings())
    assert [check.name for check in checks if not check.passed] == ["golden"]
