"""`python -m training evaluate`: everyone on the same cases, in one table with intervals.

Knows nothing of how cases are made; see training.fits.
"""

import argparse

import numpy as np

from domain.errors import ScientistError
from models.bundle import Metric, open_bundle
from training.card import metric_table
from training.desk import add_command, add_family, desk_from_env
from training.fits import FITS
from training.gate import paired_difference
from training.metrics import with_intervals
from training.release import candidate, champion_of

_ABOUT = """\
Measure challenger, champion, popularity and each member alone on the same cases.

Nobody has learned from what is asked: challenger and champion are learned again, with their own
tuned numbers, from what lies before the test split (a champion whose bundle ends before it is
scored as it is). Means with 95 % bootstrap intervals; differences are paired by case. Changes
nothing but the run's record in MLflow (--record).
"""
_EXAMPLES = """\
  python -m training evaluate recommend
  python -m training evaluate recommend --split leave-one-out --metrics ndcg_at_10,mrr_at_10
  python -m training evaluate recommend --version 20250102-030405-0123456789ab --record
"""
SPLITS = ("as-fitted", "time", "leave-one-out")
_SEED = 20


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `evaluate` command."""
    parser = add_command(subparsers, "evaluate", _ABOUT, _EXAMPLES)
    add_family(parser)
    parser.add_argument("--version", help="which bundle leads (default: the challenger)")
    parser.add_argument(
        "--split", choices=SPLITS, default="as-fitted", help="which cases (default: as-fitted)"
    )
    parser.add_argument("--metrics", help="which to show, by commas (default: the family's own)")
    parser.add_argument("--record", action="store_true", help="add the figures to the MLflow run")


def run(args: argparse.Namespace) -> int:
    """Evaluate one family; answer 0."""
    desk = desk_from_env()
    folder = desk.family(args.family)
    challenger = open_bundle(folder / candidate(folder, args.version))
    champion = champion_of(folder)
    if champion is not None and champion.version == challenger.version:
        champion = None
    log = desk.log(challenger.manifest.settings.get("fit"))
    contest = FITS[args.family].hold(log, challenger, champion, args.split)
    wanted = args.metrics or FITS[args.family].shown
    shown = [name for name in wanted.split(",") if name in contest.cases["challenger"]]
    if not shown:
        raise ScientistError("no such metric; there are " + ", ".join(contest.cases["challenger"]))
    table = {
        who: with_intervals({name: cases[name] for name in shown}, np.random.default_rng(_SEED))
        for who, cases in contest.cases.items()
    }
    print("\n".join(metric_table(table)))
    lead = contest.cases["challenger"]
    print(f"\n{len(lead[shown[0]]):,} cases; challenger {challenger.version}")
    for name in shown if args.split == "as-fitted" else ():
        recorded = challenger.manifest.metrics.get(name)
        if recorded is not None and abs(recorded.value - table["challenger"][name].value) > 1e-6:
            # Events that arrived late, or a fit that cannot be repeated: either is worth knowing.
            print(f"note: the fit recorded {name} {recorded.value:.4f} on this split")
    if champion is not None:
        print(f"champion {champion.version}: {contest.note}")
    for who in ("champion", "popularity"):
        if who in contest.cases:
            for name in shown:
                found = paired_difference(lead[name], contest.cases[who][name], 2_000, _SEED)
                print(f"challenger - {who}, {name}: {_signed(found)}")
    if args.record:
        values = {f"{who}.{name}": m for who, row in table.items() for name, m in row.items()}
        desk.tracking.log_evaluation(challenger, f"evaluate.{args.split}", values)
    return 0


def _signed(metric: Metric) -> str:
    return f"{metric.value:+.4f} [{metric.low:+.4f}, {metric.high:+.4f}]"
