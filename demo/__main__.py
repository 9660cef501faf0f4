"""`python -m demo`: import, learn, release, serve, and tell what happens; `--stop` ends it.

Exit status 0 when everything claimed was seen to hold, 1 otherwise.
"""

import argparse
import os
import sys
import time
from pathlib import Path

from demo.calls import Service
from demo.choosing import someone_typical
from demo.commands import Commands
from demo.data import Data, data_of
from demo.exchange.explaining import explained
from demo.exchange.story import ExchangeStory, pictured
from demo.place import DEFAULT_HOME, Imported, Place
from demo.record import told_record
from demo.story import Story
from demo.telling import DemoFailed, Teller
from domain.errors import SanderlingError
from feature_store.log.status import log_status
from feature_store.settings import Home

EPILOG = """\
examples:
  make demo                        grocery purchases of 2,469 households
  make demo DATA=shop.csv          any log whose columns have usual names, or a known data set
  python -m demo --quick           a part of the groceries, in a fraction of the time
  python -m demo --stop            stop the service that a demo left running
"""
EXCHANGE_S, QUICK_S = 60.0, 15.0


def parser() -> argparse.ArgumentParser:
    """Build the command line."""
    made = argparse.ArgumentParser(
        prog="python -m demo",
        description="The whole circle on real data: events in, learned answers out.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--data", type=Path, help="an events file, or a folder that holds one")
    made.add_argument("--home", type=Path, default=DEFAULT_HOME, help="default: %(default)s")
    made.add_argument("--port", type=int, help="default: the first free one from 8000")
    made.add_argument("--quick", action="store_true", help="fewer households, fewer minutes")
    made.add_argument(
        "--exchange-seconds", type=float, metavar="S",
        help="how long the simulated exchange runs (default: 60, with --quick 15)",
    )  # fmt: skip
    made.add_argument("--stop", action="store_true", help="stop the service left running, and end")
    return made


def main(argv: list[str] | None = None) -> int:
    """Tell the demo; answer the exit status."""
    args = parser().parse_args(argv)
    place, teller = Place(args.home), Teller()
    try:
        if args.stop:
            teller.say("stopped" if place.stop() else "nothing to stop")
            return 0
        tell(args, place, teller)
    except (DemoFailed, SanderlingError) as error:
        print(f"\nthe demo failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; run it again whenever you like", file=sys.stderr)
        return 130
    return 0


def tell(args: argparse.Namespace, place: Place, teller: Teller) -> None:
    """Tell all parts; raises DemoFailed at the first that does not hold."""
    started = time.monotonic()
    data = data_of(args.data, args.quick, place.home)
    commands = Commands(place, teller, data.currency)
    if place.stop():
        teller.say("(The service of an earlier demo was stopped.)")
    bring_in(data, place, commands, teller)

    teller.part("Learn from the log, measured on its last part, which the fit has not seen")
    teller.say(
        "The log is parted by time: tuned on the second to last part, measured once on the last, "
        "beside popularity and each member alone, with 95 % intervals; then learned again from all."
        " A budget keeps it short; without one it looks at everything it knows."
    )
    commands.run(["training", "fit", "recommend", "--budget", "20s" if args.quick else "60s"])

    teller.part("Release it, if it passes the gate")
    commands.run(["training", "release", "recommend"])

    teller.part("Start the service")
    running = commands.serve(args.port)
    teller.holds(f"ready at {running.base}, with the released model")
    service = Service(running.base, teller)
    tell_story(Story(service, teller), place, teller)
    tell_exchange(args, service, commands)

    teller.part("The record in MLflow")
    told_record(commands, teller)
    closing(place, running.base, teller, time.monotonic() - started)


def bring_in(data: Data, place: Place, commands: Commands, teller: Teller) -> None:
    """Import the data, or say that it is there already."""
    teller.part("Bring a real log in")
    teller.say(f"Data: {data.about}.")
    teller.say(
        "These events are years old, so all their times are moved on by whole weeks: the log "
        "ends this week, weekdays and distances stay."
    )
    log = Home(place.home).log
    before, rows = place.imported(), log_status(log).rows
    if before is not None and before.source == data.source and 0 < before.rows <= rows:
        teller.holds(f"imported by an earlier run: the log holds {rows:,} events and is used again")
        return
    if before is not None and before.source != data.source:
        raise DemoFailed(
            f"{place.home} holds another log; name a place for this one: --home DIR, or remove it"
        )
    for words in data.commands:
        moved = ["--move-to-now"] if "--what" not in words else []
        commands.run(["training", "import", *words, *moved])
    rows = log_status(log).rows
    if not rows:
        raise DemoFailed("the import ended well and the log is empty")
    place.note_import(Imported(data.source, rows))
    teller.holds(f"the log holds {rows:,} events, each exactly once; a second import adds none")


def tell_story(story: Story, place: Place, teller: Teller) -> None:
    """Tell the calls against the running service."""
    someone = someone_typical(Home(place.home).log)
    teller.part(f"An answer for {someone.field} {someone.name}")
    teller.say(
        f"Chosen by rule: of all with enough events, the one with the median number, "
        f"{someone.events:,}."
    )
    before = story.answer(someone)
    teller.part("One click, and the next answer")
    story.changed_by_click(someone, before)
    teller.part("The same for an anonymous visit")
    visitor = story.anonymous()
    teller.part("A filter")
    story.filtered(someone, before)
    teller.part("Why: what the visit was answered, explained")
    story.explained(visitor)
    teller.part("What the service says of itself")
    story.measured()


def tell_exchange(args: argparse.Namespace, service: Service, commands: Commands) -> None:
    """Tell the exchange's minute, and explain one of its bids."""
    teller, home = commands.teller, Home(commands.place.home)
    seconds = args.exchange_seconds or (QUICK_S if args.quick else EXCHANGE_S)
    teller.part("An exchange asks what we pay: real OpenRTB, simulated auctions")
    ran = ExchangeStory(service, teller, seconds).ran(home.log, someone_typical(home.log).events)
    teller.say(f"Spend against plan, drawn: {pictured(commands.place.home, ran, seconds)}")
    teller.part("The bids in the decision log: what was tried, and one bid explained")
    explained(commands, teller, ran)


def closing(place: Place, base: str, teller: Teller, seconds: float) -> None:
    """Say where everything is and how to stop it."""
    teller.part("It is still running")
    mlflow = Path(sys.executable).parent / "mlflow"
    record = (
        os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Home(place.home).mlflow}/mlflow.db"
    )
    usual = place.home == DEFAULT_HOME.absolute()
    teller.table(
        [
            ["API pages", f"{base}/docs"],
            ["metrics", f"{base}/metrics"],
            ["health", f"{base}/healthz and {base}/readyz"],
            ["its log", str(place.service_log)],
            ["MLflow", f"{mlflow} ui --port 5000 --backend-store-uri {record}"],
            ["stop it", "make stop" if usual else f"python -m demo --stop --home {place.home}"],
        ]
    )
    teller.say(f"All of this took {seconds:.0f} seconds.")


if __name__ == "__main__":
    sys.exit(main())
