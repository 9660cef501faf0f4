"""`python -m training evaluate`: everyone on the same cases, in one table with intervals.

Knows nothing of how cases are made; see training.fits.
"""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from domain.clock import system_clock
from domain.errors import OperatorError, ScientistError
from domain.events import parse_at
from models.bundle import Metric, open_bundle, read_pointer
from training.card import by_contender, metric_table
from training.desk import Desk, add_command, add_family, desk_from_env
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

With --lists, lists from anywhere are measured instead: rows of user, rank and item (CSV, TSV or
Parquet, as `training recommend --out` writes them), against what the log holds from --as-of on,
or against --truth, rows of user and item. A user who is asked about and has no list scores 0.

With --mixes, what answers earned is measured instead: while the service learns from answers it
draws one of several mixes of the members for each, and logs with what probability. From the log of
answers and the events that quote them (decision_id) every mix is valued as if it had answered all
the time: IPS, SNIPS and DR with 95 % intervals, over all answers and page by page. A mix is
advised as the new default where SNIPS and DR both say, at the lower ends, that it gains at least 0
an answer over the released one; `release --mix` makes it the default, under the same condition.
"""
_EXAMPLES = """\
  python -m training evaluate recommend
  python -m training evaluate recommend --split leave-one-out --metrics ndcg_at_10,mrr_at_10
  python -m training evaluate recommend --version 20250102-030405-0123456789ab --record
  python -m training evaluate --lists slates.parquet --as-of 2024-05-01
  python -m training evaluate --lists theirs.csv --truth bought.csv --discover
  python -m training evaluate --mixes --since 2025-01-02
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
    add_lists = parser.add_argument_group("lists from anywhere").add_argument
    add_lists("--lists", type=Path, metavar="FILE", help="rows of user, rank and item")
    add_lists("--truth", type=Path, metavar="FILE", help="rows of user and item held out")
    add_lists(
        "--as-of",
        metavar="TIME",
        help="where what is held out begins (default: the as_of in the file, else the last tenth)",
    )
    add_lists(
        "--discover", action="store_true", help="what a user had before is not wanted, nor shown"
    )
    add_mixes = parser.add_argument_group("mixes, from the log of answers").add_argument
    add_mixes("--mixes", action="store_true", help="value the mixes of the released recommender")
    add_mixes("--since", metavar="TIME", help="of answers from then on (default: all of them)")
    add_mixes("--until", metavar="TIME", help="of answers before then (default: now)")
    parser.add_argument("--record", action="store_true", help="add the figures to the MLflow run")


def run(args: argparse.Namespace) -> int:
    """Evaluate one family, or lists; answer 0."""
    desk = desk_from_env()
    if (other := _other(args)) is not None:
        return other(args, desk)
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


def _other(args: argparse.Namespace) -> Callable[[argparse.Namespace, Desk], int] | None:
    """Answer what is measured in place of bundles, None for nothing; raises ScientistError for
    options that do not go together."""
    if args.lists is not None and args.mixes:
        raise ScientistError("--lists or --mixes, not both")
    if not args.mixes and (args.since is not None or args.until is not None):
        raise ScientistError("--since and --until go with --mixes")
    if args.lists is not None:
        return _lists
    if args.truth is not None or args.as_of is not None or args.discover:
        raise ScientistError("--truth, --as-of and --discover go with --lists")
    return _mixes if args.mixes else None


def _lists(args: argparse.Namespace, desk: Desk) -> int:
    """Measure lists from a file."""
    # Loaded on demand: the kernels take a second to import.
    from training.evaluate.lists import LISTS, Question, judge_lists, read_lists, read_table

    listed = read_lists(args.lists)
    as_of = None if args.as_of is None else parse_at(args.as_of, system_clock())
    truth = None if args.truth is None else read_table(args.truth, ("user", "item"))
    log = desk.log()
    judged = judge_lists(log.history, log.items, listed, Question(as_of, args.discover, truth))
    metrics = judged.report.metrics
    if args.metrics:
        shown = [name for name in args.metrics.split(",") if name in metrics]
        if not shown:
            raise ScientistError("no such metric; there are " + ", ".join(metrics))
        metrics = {name: metrics[name] for name in shown}
    print("\n".join(metric_table(by_contender(metrics, LISTS))))
    since = datetime.fromtimestamp(judged.as_of / 1000, UTC)
    print(
        f"\n{judged.cases:,} users asked about, {judged.with_list:,} of them with a list; "
        f"held out from {since:%Y-%m-%d %H:%M} UTC on"
    )
    return 0


def _mixes(args: argparse.Namespace, desk: Desk) -> int:
    """Value the mixes of a released recommender from the log of answers."""
    # Loaded on demand: the kernels take a second to import.
    from models.recommend.mixes import ARMS, RELEASED
    from training.evaluate.blends import advise, advise_pages, table_of
    from training.evaluate.default_mix import FAMILY, answers_of, page_name, worth_here

    if args.family != FAMILY:
        raise ScientistError(f"mixes are of {FAMILY}: the other families have none")
    now = system_clock()
    since = 0 if args.since is None else parse_at(args.since, now)
    until = now if args.until is None else min(parse_at(args.until, now), now)
    pointer = read_pointer(desk.family(FAMILY))
    version = args.version or (pointer and pointer.version)
    if not version:
        raise OperatorError(f"{FAMILY} has no released version; run `python -m training release`")
    answers = answers_of(desk.home, version, worth_here(), until, since)
    advice = advise(answers.log)
    print(f"{FAMILY}/{version}")
    print("\n".join(table_of(advice)))
    for page, found in advise_pages(answers).items():
        print(f"\npage {page_name(page)}")
        print("\n".join(table_of(found)))
    if advice.default == ARMS[RELEASED]:
        print("\nnothing to do: no mix is proven to be as good a default as the released one")
    else:
        print(
            f"\nto make it the default: python -m training release {FAMILY} --mix {advice.default}"
        )
    return 0


def _signed(metric: Metric) -> str:
    return f"{metric.value:+.4f} [{metric.low:+.4f}, {metric.high:+.4f}]"
