"""`python -m training rollback`: the release before the current one answers again.

Knows nothing of how; see training.release.
"""

import argparse

from domain.clock import system_clock
from training.desk import add_command, add_family, desk_from_env
from training.release import rollback

_ABOUT = """\
Let the release before the current one answer again.

Its bundle must open whole and reproduce its golden rows, else nothing is moved. The pointer is
swapped, MLflow's champion alias follows, and the version left is no challenger any more. Each
call goes one release further back.
"""
_EXAMPLES = """\
  python -m training rollback recommend
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `rollback` command."""
    add_family(add_command(subparsers, "rollback", _ABOUT, _EXAMPLES))


def run(args: argparse.Namespace) -> int:
    """Roll one family back; answer 0."""
    desk = desk_from_env()
    pointer = rollback(desk.family(args.family), desk.tracking, now_ms=system_clock())
    print(f"champion: {args.family} {pointer.version}")
    return 0
