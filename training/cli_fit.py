"""`python -m training fit`: from the log to a challenger's bundle and its record in MLflow.

Knows nothing of how a family learns; see training.fits.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.clock import system_clock
from domain.errors import BundleRefused, ScientistError
from models.bundle import (
    CHALLENGER,
    family_lock,
    open_bundle,
    point,
    read_pointer,
    write_bundle,
)
from training.card import by_contender, graded, metric_table
from training.desk import Desk, add_command, add_family, desk_from_env
from training.fit.budget import seconds_of
from training.fit.facts import no_items
from training.fits import FITS
from training.logbook import bring_up_to_date
from training.plots import coverage_chart, draw, ready
from training.tracking import CHALLENGER as CHALLENGER_ALIAS

_ABOUT = """\
Learn a model from the event log and leave it as challenger.

Moves what the store has accepted into the log, parts the log by time, tunes on the validation
part, measures on the test part, learns again from everything, writes a bundle to
<home>/bundles/<family>/<version>, and records the run in MLflow: settings, metrics with 95 %
intervals, data digest and split, plots, model card, registered version. Nothing answers
differently until `release`.
"""
_EXAMPLES = """\
  python -m training fit recommend
  python -m training fit recommend --set split=time --set test_share=0.2
  python -m training fit recommend --set 'kind_weights={"purchase": 1}'
  python -m training fit recommend --budget 10m
  python -m training fit recommend --from nothing  # tune anew, whatever the champion found
  python -m training fit recommend --settings      # every setting with its default
  python -m training fit churn --horizon-days 60 --as-of 2024-06-01
  python -m training fit churn --definition contractual --set label_set=spring
  python -m training fit uplift --table trial.csv --treatment contacted --outcome stayed
  python -m training fit uplift --campaign spring --horizon-days 28
  python -m training fit intent --target purchase --horizon-hours 24
"""
AFTER_S, AFTER = 2.0, 1.0
"""Seconds that files and record are taken to need, and how many times what opening
the record took comes on top."""
CHAMPION, NOTHING = "champion", "nothing"
"""Words of --from that are no version."""

_NUMBERS = ("horizon_days", "lead_days", "active_days", "history_days", "horizon_hours")
_TEXTS = (
    "as_of",
    "definition",
    "target",
    "table",
    "treatment",
    "outcome",
    "propensity",
    "user",
    "campaign",
)
"""Settings that have an option of their own, for the families that have them."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `fit` command."""
    parser = add_command(subparsers, "fit", _ABOUT, _EXAMPLES)
    add_family(parser)
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="choose a setting; the value is JSON, or a word taken as text; may be repeated",
    )
    for name in (*_NUMBERS, *_TEXTS):
        parser.add_argument(
            "--" + name.replace("_", "-"), metavar="VALUE", help=f"the same as --set {name}=VALUE"
        )
    parser.add_argument(
        "--budget",
        metavar="TIME",
        help="how long a fit may take, such as 10m or 90s: smaller settings are chosen to keep it",
    )
    parser.add_argument(
        "--from",
        dest="begin",
        default="champion",
        metavar="VERSION",
        help="begin from the numbers of this version; nothing: tune all anew (default: champion)",
    )
    parser.add_argument(
        "--settings", action="store_true", help="list the settings and their defaults; fit nothing"
    )
    parser.add_argument(
        "--no-drain", action="store_true", help="use the log as it lies; do not open the store"
    )


def chosen_settings(words: list[str], known: dict[str, Any]) -> dict[str, Any]:
    """Read NAME=VALUE words; raises ScientistError for a name or a shape that does not exist."""
    chosen: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or name not in known:
            raise ScientistError(
                f"--set takes NAME=VALUE, NAME one of: {', '.join(known)} (got {name!r})"
            )
        try:
            chosen[name] = json.loads(text)
        except ValueError:
            chosen[name] = text
        default = known[name]
        number = isinstance(default, int | float) and not isinstance(default, bool)
        wanted = (int, float) if number else type(default)
        fits = isinstance(chosen[name], wanted) and (not number or chosen[name] is not True)
        if default is not None and not fits:
            raise ScientistError(f"{name} must be like its default, {json.dumps(default)}")
    return chosen


def _words(args: argparse.Namespace) -> list[str]:
    """Answer the options of single settings as --set would take them; times stay texts."""
    given = {name: getattr(args, name, None) for name in (*_NUMBERS, *_TEXTS)}
    return [
        f"{name}={json.dumps(value) if name in _TEXTS else value}"
        for name, value in given.items()
        if value is not None
    ]


def _spent(args: argparse.Namespace, desk: Desk) -> dict[str, Any]:
    """Answer when the budget began and what of it to keep for files and record.

    The record is opened now: what that takes is over before the time is planned, and tells how
    long the record itself will take on this machine.
    """
    since = time.monotonic()
    desk.tracking.prepare(args.family)
    ready()
    after = AFTER_S + AFTER * (time.monotonic() - since)
    return {"budget_since": args.begun, "budget_after": round(after, 2)}


def _budget(args: argparse.Namespace, known: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the setting of --budget; raises ScientistError where a family cannot keep one."""
    if args.budget is None:
        return {}
    if "budget_seconds" not in known:
        raise ScientistError(f"a fit of {args.family} takes as long as it takes: no --budget")
    return {"budget_seconds": seconds_of(args.budget)}


def begun_from(name: str, folder: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Answer the setting of --from: what the champion's fit, or that version's, had found.

    Nothing for a family that always begins anew, and where there is no champion. Raises
    ScientistError for a version that is not there.
    """
    if "last" not in known or name == NOTHING:
        return {}
    pointer = read_pointer(folder)
    version = name
    if name == CHAMPION:
        if pointer is None:
            return {}
        version = pointer.version
    try:
        manifest = open_bundle(folder / version).manifest
    except BundleRefused as error:
        if name == CHAMPION:
            # A champion that cannot be read must not keep its own successor out.
            return {}
        raise ScientistError(f"there is no version {name} to begin from") from error
    # Loaded on demand: members and their kernels take a second to import.
    from training.fit.refit import last_of

    found = last_of(version, manifest.settings)
    return {"last": found} if found else {}


def _told(settings: Mapping[str, Any]) -> list[str]:
    """Answer lines on where a fit began and what it took, as far as it says so."""
    version = settings.get("fit", {}).get("last", {}).get("version")
    carried = settings.get("tuned", {}).get("carried_on", [])
    cost = settings.get("cost", {})
    lines = [f"began from {version}; carried on: {', '.join(carried) or 'nothing'}"]
    lines = lines if version else []
    if cost:
        lines.append(f"took {cost['seconds']:,.0f} s, at most {cost['peak_mb']:,} MB")
        lines += [f"given up for the budget: {what}" for what in cost["given_up"]]
    return lines


def run(args: argparse.Namespace) -> int:
    """Fit one family; answer 0."""
    family = FITS[args.family]
    known = family.settings()
    chosen = chosen_settings([*args.set, *_words(args)], known) | _budget(args, known)
    if args.settings:
        print("\n".join(f"{name} = {json.dumps(value)}" for name, value in known.items()))
        return 0
    desk = desk_from_env()
    if not args.no_drain and not chosen.get("table"):
        bring_up_to_date(desk.settings, desk.home, desk.url)
    log = desk.log(chosen)
    if args.no_drain:
        log = replace(log, catalogue=no_items)
    folder = desk.family(args.family)
    chosen = begun_from(args.begin, folder, known) | chosen
    if "budget_seconds" in chosen:
        chosen = _spent(args, desk) | chosen
    outcome = family.fit(log, chosen, system_clock())
    with family_lock(folder):
        bundle = write_bundle(desk.home.bundles, outcome.draft)
        point(folder, bundle.version, system_clock(), CHALLENGER)
    metrics = bundle.manifest.metrics
    print("\n".join(metric_table(by_contender(metrics))))
    if grade := graded(bundle.manifest.settings):
        print(f"\nquality grade {grade}")
    print("".join(f"\n{line}" for line in _told(bundle.manifest.settings)))
    print(f"\nchallenger: {bundle.path} ({bundle.manifest.size / 1e6:,.1f} MB)")
    with tempfile.TemporaryDirectory() as pictures:
        plots = draw(Path(pictures), {**outcome.charts, **coverage_chart(metrics)})
        run_id = desk.tracking.log_fit(bundle, log.source, plots)
    desk.tracking.set_alias(args.family, bundle.version, CHALLENGER_ALIAS)
    print(f"recorded: MLflow run {run_id}\nnext: python -m training release {args.family}")
    return 0
