"""`python -m service`: the command line, the worker processes, and the log writer beside them.

Turns arguments into environment variables, which every process reads for itself, and hands
over to uvicorn. Knows nothing of requests.
"""

import argparse
import asyncio
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from types import FrameType

import uvicorn

from domain.errors import OperatorError, SanderlingError, Unavailable
from feature_store.opening import open_store
from feature_store.settings import settings_from_env as store_settings_from_env
from service.companion import Companion
from service.logs import configure_logs, log_info
from service.settings import settings_from_env

EPILOG = """\
examples:
  python -m service                              one worker on http://127.0.0.1:8000
  python -m service --workers 2 --home /srv/s    two processes sharing one socket
  python -m service --uds /run/sanderling.sock   behind a proxy on the same machine
  REDIS_URL=rediss://… python -m service         on your own Redis or Valkey

pages:
  /docs  /openapi.json  /healthz  /readyz  /metrics

environment (arguments win):
  REDIS_URL              a Redis or Valkey to use; unset: an embedded Valkey under the home
  SANDERLING_HOME        where data, log and models live (default ./var)
  SANDERLING_CONSENT     opt-out (default) or opt-in: may data of users who never
                         answered about consent be used?
  SANDERLING_CURRENCY    the house currency, such as EUR
  SANDERLING_STORE_PATIENCE
                         seconds a silent store is waited for before a write answers
                         503 with Retry-After (default 0.75)
  SANDERLING_FSYNC       always (default) or everysec, for the embedded Valkey
  SANDERLING_PUBLIC_URL  where exchanges reach the notices of bids
  SANDERLING_TCF_VENDOR  your id on the global vendor list
  SANDERLING_BID_POLICY  how arms are drawn: thompson (default), squarecb, linucb,
                         epsilon, each with numbers as in thompson width=0.35; off

SIGTERM or Ctrl-C stops it: running requests end first, then the log is written out.
"""


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    made = argparse.ArgumentParser(
        prog="python -m service",
        description="Serve events, users, items, recommendations, scores and bids over HTTP.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--host", default="127.0.0.1", help="address to bind (%(default)s)")
    made.add_argument("--port", type=int, default=8000, help="port to bind (%(default)s)")
    made.add_argument("--uds", help="bind a Unix socket at this path instead")
    made.add_argument("--workers", type=int, default=1, help="processes (%(default)s)")
    made.add_argument("--home", help="directory of data, log and models")
    made.add_argument("--consent", choices=("opt-out", "opt-in"), help="see below")
    made.add_argument(
        "--no-log-writer",
        action="store_true",
        help="do not run the log writer; run `python -m feature_store.log run` elsewhere",
    )
    made.add_argument(
        "--grace", type=int, default=10, metavar="SECONDS",
        help="how long running requests may take to end at a stop (%(default)s)",
    )  # fmt: skip
    made.add_argument(
        "--log-level", default="info", choices=("debug", "info", "warning", "error"),
        help="what goes to standard error, as JSON lines (%(default)s)",
    )  # fmt: skip
    return made


async def _check_store() -> None:
    store = await open_store()
    await store.close()


def _export(arguments: argparse.Namespace) -> None:
    """Put the arguments where every process finds them."""
    if arguments.home:
        os.environ["SANDERLING_HOME"] = arguments.home
    if arguments.consent:
        os.environ["SANDERLING_CONSENT"] = arguments.consent
    os.environ["SANDERLING_LOG_LEVEL"] = arguments.log_level


def _stop(signum: int, _: FrameType | None) -> None:
    # uvicorn raises the signal again when it is done; without this it would end us before
    # the log writer could be told.
    raise SystemExit(0)


def _serve(arguments: argparse.Namespace) -> None:
    uvicorn.run(
        "service.app:create_app",
        factory=True,
        host=arguments.host,
        port=arguments.port,
        uds=arguments.uds,
        workers=arguments.workers,
        loop="uvloop",
        http="service.protocol:QuickProtocol",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        backlog=2_048,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=arguments.grace,
    )


def main(argv: list[str] | None = None) -> int:
    """Serve until stopped; answer the exit status (2: wrong settings, 0: stopped)."""
    arguments = parser().parse_args(argv)
    if arguments.workers < 1:
        parser().error("--workers is at least 1")
    _export(arguments)
    configure_logs(arguments.log_level)
    try:
        _, home, url = store_settings_from_env()
        settings_from_env()
        if url is not None:
            asyncio.run(_check_store())
    except (OperatorError, Unavailable, ValueError) as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    figures: Path | None = None
    if arguments.workers > 1 and "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        figures = Path(tempfile.mkdtemp(prefix="sanderling-metrics-"))
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(figures)
    companion = None if arguments.no_log_writer else Companion()
    signal.signal(signal.SIGTERM, _stop)
    try:
        home.root.mkdir(parents=True, exist_ok=True)
        if companion is not None:
            companion.start()
        _serve(arguments)
    except KeyboardInterrupt:
        pass
    except SanderlingError as error:
        print(f"cannot start: {error}", file=sys.stderr)
        return 2
    finally:
        if companion is not None:
            companion.stop()
        if figures is not None:
            shutil.rmtree(figures, ignore_errors=True)
        log_info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
