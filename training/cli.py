"""The training command line: every command by name, help that teaches, errors that say who acts.

Loads a command's module only when it is called. Knows nothing of what the commands do.
"""

import argparse
import importlib
import os
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

from domain.errors import (
    CallerError,
    GateFailed,
    OperatorError,
    SanderlingError,
    ScientistError,
    Unavailable,
)


class Command(NamedTuple):
    """Where a command lives (`add_parser(subparsers)` and `run(args)`) and what it does."""

    module: str
    about: str


COMMANDS: dict[str, Command] = {
    "import": Command("training.importing.cli", "bring events, items, users and labels in"),
    "fit": Command("training.cli_fit", "learn a model from the log; leave it as challenger"),
    "evaluate": Command("training.cli_evaluate", "measure challenger, champion and their rivals"),
    "release": Command("training.cli_release", "let the challenger answer, if it passes the gate"),
    "rollback": Command("training.cli_rollback", "let the release before the current one answer"),
    "models": Command("training.cli_models", "list versions, what they measured, who answers now"),
    "score": Command("training.cli_score", "score everyone as of a time; write a Parquet file"),
    "sweep": Command("training.cli_sweep", "score everyone for the service to page through"),
    "notify": Command("training.cli_notify", "tell a webhook who crossed a band"),
    "clusters": Command("training.cli_clusters", "group the customers of the last sweep, in words"),
    "recommend": Command("training.batch", "answer for many users at once, as the service would"),
    "simulate": Command("training.cli_simulate", "make up a shop or a day of auctions, as files"),
}
"""Every command in the order of its use. A new command adds its line here."""


class Exit(NamedTuple):
    """The exit status of a kind of error, and who must act on it."""

    status: int
    who: str


EXITS: dict[type[SanderlingError], Exit] = {
    GateFailed: Exit(3, "not released"),
    ScientistError: Exit(4, "the data or the settings must change"),
    OperatorError: Exit(5, "the deployment must change"),
    Unavailable: Exit(6, "not available just now; try again later"),
    CallerError: Exit(2, "the command must change"),
}
"""Looked up in this order; the first that fits."""

_ABOUT = """\
Learns from the event log and releases what it learned.

  import ──> log ──fit──> challenger ──release──> champion (answers now)
                              │ evaluate              │ rollback
"""
_EPILOG = """\
a first model, from nothing:
  python -m training import --preset completejourney   # or your own files: import --help
  python -m training fit recommend              # tune, measure, write a bundle, record it
  python -m training evaluate recommend         # beside popularity and each member alone
  python -m training release recommend          # through the gate; the service swaps it in
  python -m training models                     # what there is, and which one answers

environment: SANDERLING_HOME (or --home, default ./var), REDIS_URL (unset: the embedded server),
MLFLOW_TRACKING_URI (unset: sqlite under <home>/mlflow).
exit status: 0 done, 2 wrong command, 3 not released, 4 data or settings must change,
5 deployment must change, 6 try again later. 1 is a fault of ours, or nothing could be used.
`python -m training COMMAND --help` teaches each command.
"""


def _add_home(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--home", metavar="DIR", help="where everything lies (default: SANDERLING_HOME or ./var)"
    )


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description=_ABOUT,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_home(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        if name == chosen:
            importlib.import_module(command.module).add_parser(commands)
            _add_home(commands.choices[name])
        else:
            commands.add_parser(name, help=command.about)
    return parser


def _take_home(words: Sequence[str]) -> list[str]:
    """Take --home out, wherever it stands, and let it be SANDERLING_HOME for this run."""
    taker = argparse.ArgumentParser(add_help=False, allow_abbrev=False, prog="python -m training")
    taker.add_argument("--home")
    taken, rest = taker.parse_known_args(words)
    if taken.home:
        # Every room reads its place from the environment; so do processes started from here.
        os.environ["SANDERLING_HOME"] = taken.home
    return rest


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; answer its exit status (see EXITS). Wrong usage exits with 2."""
    begun = time.monotonic()
    rest = _take_home(sys.argv[1:] if words is None else words)
    chosen = next((word for word in rest if not word.startswith("-")), None)
    args = _parser(chosen).parse_args(rest)
    args.begun = begun
    try:
        return importlib.import_module(COMMANDS[args.command].module).run(args)
    except SanderlingError as error:
        exit = next(exit for kind, exit in EXITS.items() if isinstance(error, kind))
        print(f"{args.command}: {exit.who}: {error}", file=sys.stderr)
        return exit.status
    except KeyboardInterrupt:
        print(f"{args.command}: stopped; nothing half-written is left", file=sys.stderr)
        return 130
