"""Release and rollback, killed anywhere: the pointer names a whole bundle and all can be mended."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from domain.errors import BundleRefused, GateFailed, OperatorError
from models.bundle import CHALLENGER, current_bundle, open_bundle, point, read_pointer
from models.bundle_pointers import versions
from training.gate import Check, GateSettings
from training.release import candidate, champion_of, release, rollback
from training.tracking import CHAMPION

ROOT = Path(__file__).resolve().parents[2]
NOW = 1_700_000_500_000


@pytest.fixture
def put_out(toy_family, add_toy, tracking, toy_contest):
    """Write a toy of a factor as challenger and release it; answers what release answers."""

    def put(factor, second=0, **choices):
        bundle = add_toy(factor, second)
        point(toy_family, bundle.version, NOW, CHALLENGER)
        return release(toy_family, tracking, toy_contest, now_ms=NOW, **choices)

    return put


def aliases(tracking) -> dict[str, tuple[str, ...]]:
    return {version: kept.aliases for version, kept in tracking.versions("toy").items()}


def test_a_first_release_is_measured_against_popularity(put_out, toy_family, tracking):
    released = put_out(0.5)
    version = released.pointer.version
    assert [check.name for check in released.checks] == ["quality", "golden", "size", "latency"]
    assert "of the popularity" in released.checks[0].detail
    assert current_bundle(toy_family.parent, "toy") == toy_family / version
    assert aliases(tracking) == {version: (CHAMPION,)}


def test_a_first_release_worse_than_popularity_is_refused(put_out, toy_family, tracking):
    with pytest.raises(GateFailed, match=r"quality: .* of the popularity"):
        put_out(0.1)
    assert read_pointer(toy_family) is None
    assert [kept for kept in aliases(tracking).values() if CHAMPION in kept] == []


def test_the_next_release_is_measured_against_the_champion(put_out, toy_family, tracking):
    first = put_out(0.5).pointer.version
    released = put_out(0.6, 1)
    assert "of the champion" in released.checks[0].detail
    assert "as toys do" in released.checks[0].detail
    assert read_pointer(toy_family).before == (first,)
    assert aliases(tracking) == {first: (), released.pointer.version: (CHAMPION,)}


def test_a_worse_challenger_is_refused_with_every_reason_and_nothing_moves(
    put_out, toy_family, tracking
):
    first = put_out(0.5).pointer
    with pytest.raises(GateFailed) as caught:
        put_out(0.4, 1, settings=GateSettings(max_bytes=1))
    assert "quality: " in str(caught.value)
    assert "size: " in str(caught.value)
    assert read_pointer(toy_family) == first
    assert aliases(tracking)[first.version] == (CHAMPION,)


@pytest.mark.parametrize("holds", [True, False])
def test_what_a_family_asks_besides_must_hold_too(
    put_out, add_toy, toy_family, tracking, toy_contest, holds
):
    first = put_out(0.5).pointer.version
    bundle = add_toy(0.6, 1)
    point(toy_family, bundle.version, NOW, CHALLENGER)
    asked = Check("off_policy", holds, "a bid gains so much")

    def hold(challenger, champion):
        return replace(toy_contest(challenger, champion), checks=(asked,))

    if holds:
        released = release(toy_family, tracking, hold, now_ms=NOW)
        assert released.checks[-1] == asked
        return
    with pytest.raises(GateFailed, match="off_policy: a bid gains so much"):
        release(toy_family, tracking, hold, now_ms=NOW)
    assert read_pointer(toy_family).version == first


def test_a_margin_lets_a_slightly_worse_one_pass(put_out):
    put_out(0.5)
    with pytest.raises(GateFailed):
        put_out(0.47, 1)
    assert put_out(0.47, 1, settings=GateSettings(margin=0.1)).checks


def test_a_damaged_challenger_is_refused(add_toy, toy_family, tracking, toy_contest):
    bundle = add_toy(0.5)
    (bundle.path / "golden.json").write_text("{}")
    with pytest.raises(BundleRefused, match=r"golden\.json"):
        release(toy_family, tracking, toy_contest, now_ms=NOW, version=bundle.version)
    assert read_pointer(toy_family) is None


def test_a_damaged_champion_does_not_keep_its_successor_out(put_out, toy_family):
    first = put_out(0.5).pointer.version
    (toy_family / first / "golden.json").write_text("{}")
    assert champion_of(toy_family) is None
    released = put_out(0.3, 1)
    assert "of the popularity" in released.checks[0].detail


def test_without_a_challenger_there_is_nothing_to_release(toy_family, tracking, toy_contest):
    with pytest.raises(OperatorError, match="training fit toy"):
        release(toy_family, tracking, toy_contest, now_ms=NOW)


def test_the_candidate_is_what_was_named_then_the_challenger_then_the_current(add_toy, toy_family):
    a, b = add_toy(0.5).version, add_toy(0.6, 1).version
    assert candidate(toy_family, "given") == "given"
    point(toy_family, a, NOW)
    assert candidate(toy_family, None) == a
    point(toy_family, b, NOW, CHALLENGER)
    assert candidate(toy_family, None) == b


def test_releasing_again_changes_nothing(put_out, toy_family, tracking, toy_contest):
    pointer = put_out(0.5).pointer
    again = release(toy_family, tracking, toy_contest, now_ms=NOW + 1)
    assert (again.pointer, again.checks) == (pointer, ())


def test_old_bundles_are_cleared_and_marked_but_not_the_way_back(put_out, toy_family, tracking):
    kept = [put_out(0.5 + n / 100, n, keep=1).pointer.version for n in range(4)]
    assert versions(toy_family) == kept[-2:]
    assert set(tracking.versions("toy")) == set(kept)


def test_rollback_moves_pointer_and_alias_and_does_not_bring_it_back(
    put_out, toy_family, tracking, toy_contest
):
    first, second = put_out(0.5).pointer.version, put_out(0.6, 1).pointer.version
    pointer = rollback(toy_family, tracking, now_ms=NOW)
    assert pointer.version == first
    assert aliases(tracking) == {first: (CHAMPION,), second: ()}
    # Without being named, the version left is not released again.
    assert release(toy_family, tracking, toy_contest, now_ms=NOW).pointer.version == first
    again = release(toy_family, tracking, toy_contest, now_ms=NOW, version=second)
    assert again.pointer.version == second


def test_rollback_to_a_bundle_that_no_longer_answers_the_same_moves_nothing(
    put_out, toy_family, tracking, monkeypatch
):
    put_out(0.5)
    pointer = put_out(0.6, 1).pointer
    from models import families

    class Drifted:
        def answer(self, row):
            return {"score": -1.0}

    monkeypatch.setitem(families.SCORERS, "toy", lambda bundle: Drifted())
    with pytest.raises(BundleRefused, match="golden row 0"):
        rollback(toy_family, tracking, now_ms=NOW)
    assert read_pointer(toy_family) == pointer
    assert read_pointer(toy_family, CHALLENGER).version == pointer.version


def test_the_first_release_cannot_be_rolled_back(put_out, toy_family, tracking):
    pointer = put_out(0.5).pointer
    with pytest.raises(BundleRefused, match="no earlier release"):
        rollback(toy_family, tracking, now_ms=NOW)
    assert read_pointer(toy_family) == pointer


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import conftest
from models import families
from training.release import release, rollback
from training.tracking import Tracking
families.SCORERS["toy"] = lambda bundle: conftest.ToyScorer(float(bundle.arrays["factor"][0]))
home, command, until = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def step(name):
    if name == until:
        os.kill(os.getpid(), signal.SIGKILL)
family, tracking = home / "bundles" / "toy", Tracking(home / "mlflow")
if command == "release":
    release(family, tracking, conftest.hold_toy_contest, now_ms={now}, step=step)
else:
    rollback(family, tracking, now_ms={now}, step=step)
"""


def run_killed(home: Path, command: str, until: str) -> None:
    code = KILLED.format(tests=str(Path(__file__).parent), now=NOW)
    done = subprocess.run(
        [sys.executable, "-c", code, str(home), command, until],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    ("until", "moved", "recorded"),
    [("judged", False, False), ("pointed", True, False), ("aliased", True, True)],
)
def test_a_release_killed_at_any_step_is_mended_by_releasing_again(
    put_out, add_toy, toy_family, tracking, toy_contest, until, moved, recorded
):
    first, second = put_out(0.5).pointer.version, add_toy(0.6, 1).version
    point(toy_family, second, NOW, CHALLENGER)
    run_killed(toy_family.parent.parent, "release", until)
    current = read_pointer(toy_family).version
    assert current == (second if moved else first)
    open_bundle(toy_family / current)
    assert aliases(tracking)[second if recorded else first] == (CHAMPION,)
    release(toy_family, tracking, toy_contest, now_ms=NOW)
    assert read_pointer(toy_family).version == second
    assert read_pointer(toy_family).before == (first,)
    assert aliases(tracking) == {first: (), second: (CHAMPION,)}


def test_a_rollback_killed_between_pointer_and_alias_is_mended_by_release(
    put_out, toy_family, tracking, toy_contest
):
    first, second = put_out(0.5).pointer.version, put_out(0.6, 1).pointer.version
    run_killed(toy_family.parent.parent, "rollback", "pointed")
    assert read_pointer(toy_family).version == first
    assert aliases(tracking)[second] == (CHAMPION,)
    release(toy_family, tracking, toy_contest, now_ms=NOW)
    assert read_pointer(toy_family).version == first
    assert aliases(tracking) == {first: (CHAMPION,), second: ()}
