"""The commands of the log: their arguments, what they print, their exit statuses.

Opens what the environment names; the work is done elsewhere.
"""

import argparse
import json
import logging
import signal
import threading
from collections.abc import Callable, Sequence

from domain.clock import DAY_MS, SECOND_MS, system_clock
from domain.errors import SanderlingError
from feature_store.log import decisions, events
from feature_store.log.compaction import compact
from feature_store.log.drain import LOCK, drain_now
from feature_store.log.lock import Busy, only_one
from feature_store.log.status import is_locked, log_status
from feature_store.log.writer import WriterSettings, writer_for
from feature_store.opening import open_streams
from feature_store.redis.streams import Streams
from feature_store.settings import Home, settings_from_env

_ABOUT = """\
Moves accepted events from the store's streams to an append-only log of Parquet files:

    $SANDERLING_HOME/log/day=YYYY-MM-DD/bucket=BBB/<first>_<last>.parquet

and decisions likewise to decisions/. The day is the day of arrival; a file holds one
contiguous range of a bucket's stream. Kill the writer whenever you like: the next one goes
on exactly where the files end, nothing is lost and nothing written twice.
"""
_EXAMPLES = """\
examples:
  python -m feature_store.log run                  # beside the service, always on
  python -m feature_store.log run --seconds 5      # fresher files, and more of them
  python -m feature_store.log drain                # before a fit: everything on disk, now
  python -m feature_store.log compact              # nightly: one file a closed day and bucket
  python -m feature_store.log status --json

environment: SANDERLING_HOME (default ./var), REDIS_URL (unset: the embedded server),
SANDERLING_BUCKETS (as when the store was first used).
exit status: 0 done, 1 refused (the message says why), 2 wrong arguments,
3 another process is at the same work.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m feature_store.log",
        description=_ABOUT,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="write until stopped (SIGTERM or Ctrl-C)")
    default = WriterSettings()
    run.add_argument(
        "--rows", type=int, default=default.rows, help="rows of a bucket that make a file"
    )
    run.add_argument(
        "--seconds",
        type=float,
        default=default.age_ms / SECOND_MS,
        help="or how long a row may wait for its file",
    )
    draining = commands.add_parser(
        "drain", help="write everything that is pending now, then return"
    )
    draining.add_argument(
        "--deadline", type=float, default=60.0, help="seconds to wait for a running writer"
    )
    commands.add_parser("compact", help="merge the small files of closed days")
    status = commands.add_parser("status", help="say what is in the log and what waits")
    status.add_argument("--json", action="store_true", help="as one JSON object")
    return parser


def _run(arguments: argparse.Namespace, streams: Streams, home: Home) -> int:
    settings = WriterSettings(rows=arguments.rows, age_ms=int(arguments.seconds * SECOND_MS))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: stop.set())
    with only_one(home.log, LOCK):
        print("writing the log; stop with Ctrl-C", flush=True)
        writer_for(streams, home, settings).run(stop.is_set, stop.wait)
    return 0


def _drain(arguments: argparse.Namespace, streams: Streams, home: Home) -> int:
    drain_now(streams, home, arguments.deadline)
    print(f"the log holds {log_status(home.log).rows:,} rows")
    return 0


def _compact(arguments: argparse.Namespace, streams: Streams, home: Home) -> int:
    today = system_clock() // DAY_MS
    replaced = compact(home.log, today, events.SCHEMA, events.WRITE_OPTIONS)
    replaced += compact(home.decisions, today, decisions.SCHEMA, decisions.WRITE_OPTIONS)
    print(f"{replaced:,} files merged away")
    return 0


def _status(arguments: argparse.Namespace, streams: Streams, home: Home) -> int:
    waiting = sum(streams.length(bucket) for bucket in range(streams.settings.buckets))
    running = is_locked(home.log, LOCK)
    logs = {"events": log_status(home.log), "decisions": log_status(home.decisions)}
    if arguments.json:
        held = {name: status._asdict() for name, status in logs.items()}
        print(json.dumps({**held, "waiting_entries": waiting, "writer_running": running}))
        return 0
    for name, status in logs.items():
        told = (f"{key} {value:,}" for key, value in status._asdict().items())
        print(f"{name:<10} " + "  ".join(told))
    print(f"waiting    {waiting:,} stream entries")
    print(f"writer     {'running' if running else 'not running'}")
    return 0


_COMMANDS: dict[str, Callable[[argparse.Namespace, Streams, Home], int]] = {
    "run": _run,
    "drain": _drain,
    "compact": _compact,
    "status": _status,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answer the exit status."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    streams: Streams | None = None
    try:
        settings, home, _ = settings_from_env()
        streams = open_streams(settings)
        return _COMMANDS[arguments.command](arguments, streams, home)
    except Busy as error:
        print(f"another {error} is at work on this log")
        return 3
    except (SanderlingError, OSError) as error:
        print(f"refused: {error}")
        return 1
    finally:
        if streams is not None:
            streams.close()
