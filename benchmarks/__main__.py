"""`python -m benchmarks NAME`: runs one measured promise, or all of them into a table.

Exit status 0 when every bar holds, 1 when one is missed, 2 when it could not be run.
Knows nothing of what a benchmark measures.
"""

import argparse
import sys
from dataclasses import fields
from pathlib import Path

from benchmarks import (
    bandit_blend,
    bid_auction,
    bid_bandit,
    bid_budget,
    bid_contract,
    bid_latency,
    bid_ope,
    bid_replay,
    catalogue_scale,
    churn_quality,
    churn_score,
    freshness,
    intake,
    intent_quality,
    latency,
    parity,
    recommend_quality,
    replay,
    results,
    score_latency,
    sweep,
    uplift,
)
from benchmarks.harness import Arguments, Benchmark, as_line, data_folder, for_people, report
from domain.errors import SanderlingError, ScientistError
from training.fit.budget import seconds_of

BENCHMARKS: dict[str, Benchmark] = {
    "parity": parity.run,
    "replay": replay.run,
    "intake": intake.run,
    "freshness": freshness.run,
    "latency": latency.run,
    "recommend-quality": recommend_quality.run,
    "churn-quality": churn_quality.run,
    "churn-score": churn_score.run,
    "intent-quality": intent_quality.run,
    "score-latency": score_latency.run,
    "sweep": sweep.run,
    "uplift": uplift.run,
    "bid-contract": bid_contract.run,
    "bid-latency": bid_latency.run,
    "bid-budget": bid_budget.run,
    "bid-replay": bid_replay.run,
    "bid-auction": bid_auction.run,
    "bid-bandit": bid_bandit.run,
    "bid-ope": bid_ope.run,
    "bandit-blend": bandit_blend.run,
    "catalogue-scale": catalogue_scale.run,
}
"""Every benchmark by name, in the order of the table."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure one promise of this project, or all of them.",
        epilog="Exit status: 0 every bar holds, 1 a bar is missed, 2 it could not be run.",
    )
    parser.add_argument("name", choices=[*BENCHMARKS, "all"], help="which promise to measure")
    parser.add_argument(
        "--only", type=_names, default=[], metavar="NAMES",
        help="with all: these alone, separated by commas; the others' rows stay",
    )  # fmt: skip
    parser.add_argument("--data", metavar="DIR", help="folder of the public logs")
    parser.add_argument("--dataset", default="", help="only this log, where there are several")
    parser.add_argument("--case", default="", help="only this case, where there are several")
    parser.add_argument("--split", default="", help="only this way of parting a log")
    parser.add_argument("--cold", action="store_true", help="items nobody has had yet")
    parser.add_argument("--budget", type=_seconds, default=0.0, help="of a fit, such as 3m")
    parser.add_argument("--catalogue", type=int, default=0, help="items (0: those of the log)")
    parser.add_argument("--runs", type=int, default=0, help="how often to repeat (0: its own)")
    parser.add_argument("--seconds", type=float, default=0.0, help="length of a timed stretch")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    parser.add_argument("--out", type=Path, default=results.TABLE, help="the table `all` writes")
    return parser


def _seconds(text: str) -> float:
    try:
        return seconds_of(text)
    except ScientistError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        known = ", ".join(BENCHMARKS)
        raise argparse.ArgumentTypeError(
            f"no benchmark is called {unknown[0]!r}; there are {known}"
        )
    return names


def main(argv: list[str] | None = None) -> int:
    """Run what `argv` names; answer the exit status."""
    chosen = _parser().parse_args(argv)
    names = [field.name for field in fields(Arguments) if field.name != "data"]
    given = {name: getattr(chosen, name) for name in names}
    arguments = Arguments(data_folder(chosen.data), **given)
    if chosen.name == "all":
        return results.run_all(chosen.only or list(BENCHMARKS), arguments, chosen.out)
    try:
        outcome = BENCHMARKS[chosen.name](arguments)
    except SanderlingError as error:
        print(f"{chosen.name} could not be run: {error}", file=sys.stderr)
        return 2
    for line in for_people(outcome):
        print(line)
    if chosen.json:
        print(as_line(report(chosen.name, outcome)), flush=True)
    return 0 if outcome.holds else 1


if __name__ == "__main__":
    sys.exit(main())
