"""`python -m training simulate`: a made-up world as files: a shop, or a day at an exchange.

Everything it writes is simulated and says so. Knows nothing of how a world is drawn.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from domain.errors import ScientistError
from training.desk import add_command

_ABOUT = """\
Simulate a shop whose truth is known, and write its events as files to import.

Beside the events lies the truth: after every event the best that can be said of a purchase later
in the visit; of every shopper the chance to stay away and what contact would change.

Or play a day of auctions against competitors, and write what came of it: surplus, spend against
plan, cost a conversion, regret against the best constant and against hindsight; with a picture.
"""
_EXAMPLES = """\
  python -m training simulate shop --users 2000 --out simulated
  python -m training import simulated/simulated-events.parquet
  python -m training import --what items simulated/simulated-items.csv
  python -m training simulate auction --seed 1 --out simulated
  python -m training simulate auction --price second --out simulated
"""
MOST_USERS = 200_000
MOST_DAYS = 730.0
PRICES = {"first": 1, "second": 2}
"""How prices are found, as OpenRTB numbers it."""


def _simulate_shop(args: argparse.Namespace) -> list[Path]:
    from training.datasets.synthetic.files import write_shop
    from training.datasets.synthetic.shop import simulate

    if not 1 <= args.users <= MOST_USERS:
        raise ScientistError(f"users are 1 to {MOST_USERS:,}")
    if not 1 <= args.days <= MOST_DAYS:
        raise ScientistError(f"days are 1 to {MOST_DAYS:g}")
    if not 0 < args.horizon_days <= MOST_DAYS:
        raise ScientistError(f"horizon-days are above 0 and at most {MOST_DAYS:g}")
    if args.seed < 0:
        raise ScientistError("a seed is 0 or more")
    shop = simulate(args.users, args.days, args.seed, horizon_days=args.horizon_days)
    print(
        f"simulated: {len(shop.visits.ats):,} events of {args.users:,} shoppers in "
        f"{len(shop.visits.offsets) - 1:,} visits over {args.days:g} days",
        file=sys.stderr,
    )
    return write_shop(shop, args.out)


def _simulate_auction(args: argparse.Namespace) -> list[Path]:
    from training.evaluate.auction.market import MarketSettings
    from training.evaluate.auction.showing import show

    if args.seed < 0:
        raise ScientistError("a seed is 0 or more")
    settings = MarketSettings(at=PRICES[args.price], slots=args.hours * 60)
    print(f"simulated: {args.hours} hours of {args.price}-price auctions", file=sys.stderr)
    return show(args.out, args.seed, settings)


WORLDS: Mapping[str, Callable[[argparse.Namespace], list[Path]]] = {
    "shop": _simulate_shop,
    "auction": _simulate_auction,
}
"""World → how it is written. A new world adds its line here."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `simulate` command."""
    parser = add_command(subparsers, "simulate", _ABOUT, _EXAMPLES)
    add = parser.add_argument
    add("world", choices=tuple(WORLDS), help="what to simulate")
    add("--users", type=int, default=2000, help="how many shoppers (default: 2000)")
    add("--days", type=float, default=60.0, help="how long the shop is watched (default: 60)")
    add("--horizon-days", type=float, default=28.0, help="of the truth about churn (default: 28)")
    add("--price", choices=tuple(PRICES), default="first", help="of auctions (default: first)")
    add("--hours", type=int, choices=range(1, 25), default=24, metavar="1-24",
        help="of auctions (default: 24)")  # fmt: skip
    add("--seed", type=int, default=0, help="the same seed gives the same files (default: 0)")
    add("--out", type=Path, required=True, metavar="DIR", help="folder for the files")


def run(args: argparse.Namespace) -> int:
    """Simulate; answer 0."""
    try:
        written = WORLDS[args.world](args)
    except OSError as error:
        raise ScientistError(f"--out cannot be written: {error.strerror or error}") from error
    for path in written:
        print(path)
    return 0
