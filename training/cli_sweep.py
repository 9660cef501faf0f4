"""`python -m training sweep`: everybody's score, ranked and banded, where the service reads it.

Knows nothing of how anybody is scored; see training.sweep.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from domain.clock import system_clock
from domain.errors import CallerError, OperatorError, SanderlingError, ScientistError
from domain.events import parse_at
from feature_store.opening import open_store
from feature_store.sweeps.reading import Sweep
from models.bundle import open_bundle, read_pointer
from models.families import load_scorer
from training.cli_notify import take_in
from training.desk import Desk, add_command, desk_from_env
from training.logbook import bring_up_to_date
from training.sweep.job import Advisor, Job, Released, Wish, check_views
from training.sweep.scoring import ValueFrom

_ABOUT = """\
Score everybody, rank them by what is at stake, and let the service read it.

Moves what the store has accepted into the log, replays every active user's history as of now (or
--as-of) through the released model, keeps the parts under <home>/sweeps/<family>/<sweep>, and
swaps the pointer once all is there. Stopped anywhere, --resume goes on where it was. Who refused
analytics is left out. Afterwards the store holds everybody's score, and whoever crossed a band
since the sweep before is told of by `python -m training notify`.

Bands go by expected loss: probability times value. The first sweep lets the three tenths with
most to lose begin medium and the first tenth high; later sweeps keep those limits, and a band is
left 15 % below where it is entered. --limits sets them, --fresh-limits draws them again.
"""
_EXAMPLES = """\
  python -m training sweep churn
  python -m training sweep churn --resume           # as a nightly job: finish, or begin anew
  python -m training sweep churn --as-of 2024-06-01 --limits 20,100
  python -m training sweep churn --value-attribute monthly_charges --value-times 12
"""
FAMILY = "churn"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `sweep` command."""
    add = add_command(subparsers, "sweep", _ABOUT, _EXAMPLES).add_argument
    add("family", choices=(FAMILY,), help="kind of model")
    add("--as-of", help="nothing at or after this time is looked at (default: end of the log)")
    add("--version", help="which bundle (default: the released one)")
    add("--resume", action="store_true", help="go on with the sweep that was stopped, if any")
    add("--limits", metavar="MEDIUM,HIGH", help="losses at which the two upper bands begin")
    add("--fresh-limits", action="store_true", help="draw the limits from this sweep's losses")
    add("--value-attribute", metavar="NAME", help="the attribute that says what a user is worth")
    add("--value-times", type=float, default=1.0, metavar="X", help="… X times a year (default 1)")
    add("--no-drain", action="store_true", help="use the log as it lies")


def wish_of(args: argparse.Namespace, now_ms: int) -> Wish:
    """Answer what the options ask for; raises ScientistError for one that makes no sense."""
    try:
        as_of = None if args.as_of is None else parse_at(args.as_of, now_ms)
    except CallerError as error:
        raise ScientistError(f"--as-of: {error.message}") from error
    if not 0 < args.value_times < float("inf"):
        raise ScientistError("--value-times is above 0")
    value = ValueFrom(args.value_attribute, args.value_times) if args.value_attribute else None
    return Wish(as_of, args.version, value, args.fresh_limits, _limits(args.limits))


def _limits(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        medium, high = (float(part) for part in text.split(","))
        if not 0 < medium <= high < float("inf"):
            raise ValueError("out of order")
    except ValueError as error:
        raise ScientistError("--limits are two losses above 0, the second no lower") from error
    return medium, high


def open_model(folder: Path, version: str | None) -> Released:
    """Open a version of a family, None for the released one; raises OperatorError."""
    pointer = read_pointer(folder)
    name = version or (None if pointer is None else pointer.version)
    if name is None:
        raise OperatorError(
            f"no {folder.name} model is released: run `python -m training fit {folder.name}`, "
            f"then `python -m training release {folder.name}`"
        )
    bundle = open_bundle(folder / name)
    return Released(bundle, load_scorer(bundle))


def open_uplift(folder: Path, version: str | None) -> Advisor | None:
    """Open the released uplift model (or another, "" for none); one that cannot be used is told
    of and left out: who is leaving is worth knowing without it."""
    pointer = read_pointer(folder)
    name = version if version is not None else "" if pointer is None else pointer.version
    if not name:
        return None
    try:
        bundle = open_bundle(folder / name)
        model = load_scorer(bundle)
        check_views(bundle, model)
    except SanderlingError as error:
        print(f"without uplift: {error}", file=sys.stderr)
        return None
    return Advisor(name, model)


def job_of(desk: Desk, **more: Any) -> Job:
    """Answer the sweep of a deployment; `more` are fields of Job."""
    rule = os.environ.get("SANDERLING_CONSENT", "opt-out")
    if rule not in ("opt-out", "opt-in"):
        raise OperatorError("SANDERLING_CONSENT is opt-out or opt-in")

    def labelled(name: str) -> Sequence[str]:
        from training.importing.labels import load_labels

        return load_labels(desk.home.root, name)[0]["user"].unique().to_list()

    return Job(
        root=desk.home.sweeps / FAMILY,
        open_model=partial(open_model, desk.family(FAMILY)),
        open_uplift=partial(open_uplift, desk.family("uplift")),
        # Of a model learned from labels and attributes the log may hold nobody at all.
        load=lambda: desk.log(may_be_empty=True).history,
        labelled=labelled,
        open_store=open_store,
        unanswered=rule == "opt-out",
        **more,
    )


def told(sweep: Sweep) -> list[str]:
    """Answer what a whole sweep is summed up as, for people."""
    about = sweep.summary
    bands = ", ".join(f"{name} {count:,}" for name, count in about.bands.items())
    left = ", ".join(f"{why.replace('_', ' ')} {n:,}" for why, n in about.left_out.items() if n)
    loss = "" if about.expected_loss is None else f"; expected loss {about.expected_loss:,.0f}"
    return [
        f"{about.users:,} users scored by {about.model} (grade {about.grade or 'unknown'}){loss}",
        f"bands by {about.basis}: {bands}; {about.crossings:,} crossed one",
        *([f"left out: {left}"] if left else []),
        f"sweep {about.id} is what the service reads now",
    ]


def run(args: argparse.Namespace) -> int:
    """Sweep; answer 0."""
    wish = wish_of(args, system_clock())
    desk = desk_from_env()
    if not args.no_drain:
        bring_up_to_date(desk.settings, desk.home, desk.url)
    print("\n".join(told(job_of(desk).run(wish, resume=args.resume))), file=sys.stderr)
    waiting = take_in(desk.home)
    if waiting:
        print(f"{waiting:,} to be told of: python -m training notify", file=sys.stderr)
    return 0
