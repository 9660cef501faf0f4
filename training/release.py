"""Release and rollback: a challenger passes the gate, then the pointer moves, then the alias.

The pointer file is the truth that the service follows; MLflow's alias is its record and moves
second. A crash between leaves the new bundle answering under an old alias; `release` again sees
that its version is current and moves the alias only. Knows nothing of how a contest is held:
it is handed in.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BundleRefused, OperatorError
from models.bundle import (
    CHALLENGER,
    Bundle,
    Pointer,
    family_lock,
    open_bundle,
    point,
    read_pointer,
)
from models.bundle_pointers import clear_old, point_back
from models.families import load_scorer
from training.gate import Check, Contest, GateSettings, check_quality, demand, run_gate
from training.tracking import CHAMPION, Tracking

Hold = Callable[[Bundle, Bundle | None], Contest]
"""(challenger, champion or None) → their cases, and those of "popularity", on the test split
that the challenger's manifest describes. Nobody may have learned from what is asked there."""

POPULARITY = "popularity"


@dataclass(slots=True, frozen=True)
class Released:
    """What a release did: the pointer as it now is, the checks made, bundles cleared away.

    `checks` is empty when the version was current already and only the record was repaired.
    """

    pointer: Pointer
    checks: tuple[Check, ...] = ()
    cleared: tuple[str, ...] = ()


def _no_step(name: str) -> None:
    """Do nothing at the named step; tests hand in a step that ends the process."""


def candidate(family: Path, version: str | None) -> str:
    """Answer the version to release: the one given, the challenger that `fit` left, or, to
    repair a record that a crash left behind, the current one.

    Raises OperatorError when there is none of them.
    """
    if version:
        return version
    pointer = read_pointer(family, CHALLENGER) or read_pointer(family)
    if pointer is None:
        raise OperatorError(
            f"{family.name} has no challenger; run `python -m training fit {family.name}` first"
        )
    return pointer.version


def champion_of(family: Path) -> Bundle | None:
    """Answer the family's current bundle, opened, with its golden rows reproduced.

    None before the first release, and when the bundle is refused: a champion that can no
    longer be scored must not keep its own successor out.
    """
    pointer = read_pointer(family)
    if pointer is None:
        return None
    try:
        bundle = open_bundle(family / pointer.version)
        load_scorer(bundle)
    except BundleRefused:
        return None
    return bundle


def judge(bundle: Bundle, hold: Hold, settings: GateSettings) -> list[Check]:
    """Run the whole gate on an opened challenger; answer every check.

    The reference is the champion, or popularity when there is none that can be scored.
    """
    champion = champion_of(bundle.path.parent)
    contest = hold(bundle, champion)
    quality = contest.quality
    if quality is None:
        name = POPULARITY if champion is None else CHAMPION
        quality = check_quality(
            contest.cases[CHALLENGER],
            contest.cases[name],
            name,
            settings,
            proven=champion is not None,
        )
    if contest.note:
        quality = quality._replace(detail=f"{quality.detail} ({contest.note})")
    checks = run_gate(bundle, load_scorer(bundle, golden=False), quality, settings)
    return [*checks, *contest.checks]


def release(
    family: Path,
    tracking: Tracking,
    hold: Hold,
    *,
    now_ms: int,
    version: str | None = None,
    settings: GateSettings | None = None,
    keep: int = 5,
    step: Callable[[str], None] = _no_step,
) -> Released:
    """Let the family's challenger (or `version`) answer from now on, if it passes the gate.

    `family` is the folder `<bundles>/<family>`. All but the newest `keep` bundles are cleared
    afterwards, never the current one or the one to roll back to. `step` is called with
    "judged", "pointed" and "aliased". Raises GateFailed with every failed check, BundleRefused
    or OperatorError; before "pointed" nothing has moved.
    """
    settings = settings or GateSettings()
    with family_lock(family):
        bundle = open_bundle(family / candidate(family, version))
        old = read_pointer(family)
        checks: list[Check] = []
        # A fit that ended before its record was kept is recorded now: the alias needs it.
        tracking.log_fit(bundle, source="", plots={})
        if old is None or old.version != bundle.version:
            checks = judge(bundle, hold, settings)
            demand(bundle, checks)
            step("judged")
        pointer = point(family, bundle.version, now_ms)
        step("pointed")
        tracking.set_alias(bundle.family, bundle.version, CHAMPION)
        step("aliased")
        cleared = clear_old(family, keep, now_ms)
        if cleared:
            tracking.mark_cleared(bundle.family, cleared)
    return Released(pointer, tuple(checks), tuple(cleared))


def rollback(
    family: Path, tracking: Tracking, *, now_ms: int, step: Callable[[str], None] = _no_step
) -> Pointer:
    """Let the version before the current one answer again; answer the new pointer.

    It must open whole and reproduce its golden rows, else nothing moves. The version left is
    no challenger any more, so that `release` does not bring it back unasked; after a crash
    between pointer and alias `release` repairs the alias. Raises BundleRefused or OperatorError.
    """

    def usable(path: Path) -> None:
        load_scorer(open_bundle(path))
        left, challenger = read_pointer(family), read_pointer(family, CHALLENGER)
        if left is not None and challenger is not None and challenger.version == left.version:
            (family / CHALLENGER).unlink()

    with family_lock(family):
        pointer = point_back(family, now_ms, usable)
        step("pointed")
        tracking.set_alias(family.name, pointer.version, CHAMPION)
        step("aliased")
    return pointer


__all__ = [
    "POPULARITY",
    "Hold",
    "Released",
    "candidate",
    "champion_of",
    "judge",
    "release",
    "rollback",
]
