"""What `python -m training recommend` may ask of every answer, and for whom: options to a question.

The same controls as the service's, checked by the same code. Knows nothing of how answers are
made or written.
"""

import argparse
from pathlib import Path

import polars as pl

from domain.errors import BadField, ScientistError
from domain.ids import is_valid_id
from feature_store.log.reader import read_log
from models.recommend.ask import Ask, check_ask
from models.recommend.controls import WITHIN_DAYS, Cap, Controls, Objective, Pin, Task, settled
from models.recommend.filters import Filter

_OPTIONS = {
    "at": "as-of",
    "caps": "cap",
    "pinned": "pin",
    "context.item": "item",
    "context.items": "cart",
    "filter.deny": "deny",
}
"""Field of a question → the option that says it, where they differ in more than dashes."""


def add_controls(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is asked."""
    add = parser.add_argument_group("what is asked").add_argument
    add("--k", type=int, help="items a user (default 20, at most 500; of --items all of them)")
    add("--explain", action="store_true", help="add what each item rests on, and a sentence")
    add("--diversity", default="0", metavar="0..1|calibrated", help="default 0")
    add(
        "--exclude-seen",
        action=argparse.BooleanOptionalAction,
        help="leave out what a user had before (default: as the log shows that people return)",
    )
    add("--task", choices=[one.value for one in Task], default=Task.recommend.value)
    add("--item", default="", metavar="ID", help="the item in view")
    add("--cart", action="append", default=[], metavar="ID", help="in the cart; may be repeated")
    add("--objective", choices=[one.value for one in Objective], default=Objective.click.value)
    add("--freshness", type=float, default=0.0, help="0 to 1, how far new items are lifted")
    add(
        "--cap",
        action="append",
        default=[],
        metavar="FIELD=MOST",
        help="at most so many of any one category or attributes.NAME; may be repeated",
    )
    add(
        "--pin",
        action="append",
        default=[],
        metavar="ITEM=PLACE",
        help="an item at a place of its own; may be repeated",
    )
    add("--after-days", type=float, help="hold back what was bought less than so long ago")
    add("--shown-at-most", type=int, help="hold back what was shown so often")
    add("--within-days", type=float, default=WITHIN_DAYS, help="how far back showings count")
    add("--items", type=Path, metavar="FILE", help="re-rank these (one a line) for every user")
    add("--category", action="append", default=[], help="only of these; may be repeated")
    add("--deny", type=Path, metavar="FILE", help="never these items, one a line")


def ask_of(args: argparse.Namespace) -> Ask:
    """Answer the checked question; raises ScientistError naming the option that is wrong."""
    candidates = None if args.items is None else _lines(args.items)
    k = args.k
    if k is None:
        k = 20 if candidates is None else len(candidates)
    calibrated = args.diversity == "calibrated"
    try:
        controls = Controls(
            task=Task(args.task),
            objective=Objective(args.objective),
            caps=tuple([Cap(*_pair(text, "caps")) for text in args.cap]),
            pinned=tuple([Pin(*_pair(text, "pinned")) for text in args.pin]),
            after_days=args.after_days,
            shown_at_most=args.shown_at_most,
            within_days=args.within_days,
            freshness=args.freshness,
            calibrated=calibrated,
            candidates=candidates,
            basket=tuple(args.cart),
        )
        return check_ask(
            Ask(
                k=k,
                item=args.item,
                exclude_seen=args.exclude_seen,
                chosen=Filter(
                    any_categories=tuple(args.category),
                    deny=() if args.deny is None else _lines(args.deny),
                ),
                diversity=0.0 if calibrated else _number(args.diversity, "diversity"),
                explain=args.explain,
                controls=settled(controls),
            )
        )
    except BadField as error:
        raise ScientistError(f"--{option_of(error.field)}: {error.message}") from error


def option_of(field: str) -> str:
    """Answer the option, without its dashes, that says what a field of a question does."""
    whole = field.partition("[")[0]
    return _OPTIONS.get(whole, whole.rpartition(".")[2].replace("_", "-"))


def _pair(text: str, field: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not name or not (number.isascii() and number.isdigit() and len(number) < 10):
        raise BadField("NAME=NUMBER", field=field)
    return name, int(number)


def _number(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadField("a number from 0 to 1, or calibrated", field=field) from error


def _lines(path: Path) -> tuple[str, ...]:
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise ScientistError(f"{path.name} cannot be read as a file of items") from error
    return tuple(dict.fromkeys([line for line in lines if line]))


def everybody(log: Path, until: int | None = None) -> list[str]:
    """Answer every user the log names in an event before `until` (ms UTC), in order of id.

    The log is up to half a minute behind the store. Raises ScientistError when it names nobody.
    """
    entities = read_log(log, ["entity"], until=until)["entity"].unique()
    users = entities.filter(entities.str.starts_with("u")).str.slice(1).sort()
    found = [user for user in users.cast(pl.String).to_list() if user and is_valid_id(user)]
    if not found:
        raise ScientistError("the log names no user")
    return found
