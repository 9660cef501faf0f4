"""`python -m training score`: everyone's score as of a time, or every session's, as a Parquet file.

Knows nothing of how a family scores; each has a module of its own.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from domain.errors import ScientistError
from training.desk import add_command

_ABOUT = """\
Score everyone in the log as of a time and write one row a user to a Parquet file.

Intent scores every session of a file of events (--events) after its event number --at-event, or
after its last; what comes later is not looked at. Sessions without so many events have no row;
of one of more than 256 the first 256 are looked at.
Answers come from the family's current bundle, or from --version; without any, from the
challenger that `fit` left.
"""
_EXAMPLES = """\
  python -m training score churn --as-of 2024-06-01 --out churn.parquet
  python -m training score churn --out now.parquet --version 20250102-030405-0123456789ab
  python -m training score intent --events visits.csv --at-event 5 --out intent.parquet
"""


def _score_churn(args: argparse.Namespace) -> int:
    from training.score_churn import score

    return score(args.out, args.as_of, args.version)


def _score_uplift(args: argparse.Namespace) -> int:
    from training.score_uplift import score

    return score(args.out, args.as_of, args.version)


def _score_intent(args: argparse.Namespace) -> int:
    from training.score_intent import score

    if args.events is None:
        raise ScientistError("intent is scored from a file of events: --events FILE")
    return score(args.events, args.at_event, args.out, args.as_of, args.version)


SCORES: dict[str, Callable[[argparse.Namespace], int]] = {
    "churn": _score_churn,
    "uplift": _score_uplift,
    "intent": _score_intent,
}
"""Family → how everyone is scored. A new family adds its line here."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `score` command."""
    parser = add_command(subparsers, "score", _ABOUT, _EXAMPLES)
    add = parser.add_argument
    add("family", choices=tuple(SCORES), help="kind of model")
    add("--out", type=Path, required=True, metavar="FILE.parquet", help="where the rows go")
    add("--as-of", help="nothing at or after this time is looked at (default: end of the log)")
    add("--events", type=Path, metavar="FILE", help="intent: whose sessions are scored")
    add("--at-event", type=int, metavar="K", help="intent: after which event of each session")
    add("--version", help="which bundle (default: the current one, else the challenger)")


def run(args: argparse.Namespace) -> int:
    """Score; answer 0."""
    rows = SCORES[args.family](args)
    what = "sessions" if args.family == "intent" else "users"
    print(f"{rows:,} {what} scored: {args.out}", file=sys.stderr)
    return 0
