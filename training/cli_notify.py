"""`python -m training notify`: tell the webhook who crossed a band between sweeps.

Knows nothing of how a delivery is made; see training.notify.
"""

import argparse
import os
import random
import sys
import time

from domain.clock import system_clock
from domain.errors import OperatorError, Unavailable
from feature_store.log.lock import Busy, only_one
from feature_store.settings import Home, settings_from_env
from feature_store.sweeps.reading import Sweeps
from training.desk import add_command
from training.notify.crossings import collect_all, rule_from_env
from training.notify.draining import Drain, Drained
from training.notify.outbox import Outbox
from training.notify.target import URL, target_from_env

_ABOUT = """\
Tell a webhook who crossed a band since the sweep before.

Takes in what the last sweeps have to tell and delivers what is due, signed (HMAC-SHA256), in
batches of up to 100 users. What fails is tried again after 10 s, 20 s … an hour, for about three
days, then kept in <home>/notices/churn/dead-letters.ndjson. Nothing is lost by a kill; what may
come twice has the same id. docs/webhook.md says how a receiver checks a delivery.
"""
_EXAMPLES = """\
  python -m training notify                 # after each sweep, and every few minutes
  python -m training notify --for 3600      # stay for an hour and wait for what is not due yet
  python -m training notify --status        # how much waits; deliver nothing
  python -m training notify --revive        # try the dead letters again

environment: SANDERLING_WEBHOOK_URL (https), SANDERLING_WEBHOOK_SECRET (16 characters or more),
SANDERLING_WEBHOOK_COOLDOWN_DAYS (default 7: per user and band), SANDERLING_WEBHOOK_BANDS (default
all: low,medium,high), SANDERLING_WEBHOOK_PRIVATE=allow (targets in private networks, and http).
"""
FAMILY = "churn"
LOCK = "notify"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `notify` command."""
    add = add_command(subparsers, "notify", _ABOUT, _EXAMPLES).add_argument
    add("--for", dest="seconds", type=float, default=0.0, metavar="SECONDS",
        help="stay so long and wait for what is not due yet (default: one round)")  # fmt: skip
    add("--status", action="store_true", help="say how much waits and deliver nothing")
    add("--revive", action="store_true", help="put the dead letters back first")


def take_in(home: Home) -> int:
    """Take what the kept sweeps have to tell into the outbox; answer how many users that are.

    Nothing is taken in where no webhook is named. Raises OperatorError for settings that make
    no sense.
    """
    if target_from_env() is None:
        return 0
    rule = rule_from_env(os.environ)
    with Outbox(home.notices / FAMILY) as outbox:
        return collect_all(outbox, Sweeps(home.sweeps / FAMILY), rule, system_clock())


def run(args: argparse.Namespace) -> int:
    """Deliver what is due; answer 0, or 6 when something still waits."""
    _, home, _ = settings_from_env()
    target = target_from_env()
    if target is None and not args.status:
        raise OperatorError(f"{URL} names no webhook: there is nobody to tell")
    folder = home.notices / FAMILY
    try:
        with only_one(folder, LOCK), Outbox(folder) as outbox:
            if args.revive:
                print(f"{outbox.revive():,} dead letters put back", file=sys.stderr)
            if target is not None and not args.status:
                found = take_in(home)
                if found:
                    print(f"{found:,} users crossed a band", file=sys.stderr)
                drain = Drain(outbox, target, system_clock, time.sleep, random.Random())
                if args.seconds > 0:
                    drain.keep_on(args.seconds, _tell)
                else:
                    _tell(drain.once())
            standing = outbox.standing(system_clock())
    except Busy as error:
        raise Unavailable("another notify is at work") from error
    age = f", the oldest for {standing.oldest / 1000:,.0f} s" if standing.oldest else ""
    print(f"{standing.waiting:,} wait{age}; {standing.dead:,} dead letters", file=sys.stderr)
    return 0 if args.status or not standing.waiting else 6


def _tell(done: Drained) -> None:
    print(done.words(), file=sys.stderr)
