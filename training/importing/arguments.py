"""The command line of the import: its options, and what they say as mappings.

Knows nothing of running an import; see training.importing.cli.
"""

import argparse
from pathlib import Path

from domain.errors import ScientistError
from domain.events import Kind
from training.importing.describing import TYPES, Description
from training.importing.mapping import MAPPED, Mapping
from training.importing.presets import PRESETS
from training.importing.readers import TextOptions
from training.importing.recognise import recognise
from training.importing.times import AT_UNITS, check_zone

WHAT = ("events", "items", "users", "labels")

EPILOG = """\
A map option takes the name of a column, its number from 1, or a constant after "=".
Without --user and the like, columns with usual names are recognised and shown.

examples:
  python -m training import shop.csv --user customer --item sku --kind =purchase \\
      --at "order date" --tz Europe/Berlin --value total --currency =EUR
  python -m training import clicks.jsonl.gz --session sid --kind event \\
      --kind-map view=click,buy=purchase --at-unit ms --dry-run
  python -m training import catalogue.csv --what items --item sku --title name \\
      --categories department,category --price price --attribute brand
  python -m training import members.parquet --what users --user id
  python -m training import left.csv --what labels --name churn --label left --at as_of
  python -m training import --preset completejourney
  python -m training import --preset online-retail data/online-retail

presets:
"""


def fill_parser(parser: argparse.ArgumentParser) -> None:
    """Add every option of the import to `parser`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG + "\n".join(
        f"  {name:18}{preset.about}" for name, preset in PRESETS.items()
    )
    add = parser.add_argument
    add("files", nargs="*", type=Path, metavar="FILE", help="files, or a preset's folder")
    add("--preset", choices=sorted(PRESETS), help="a known data set with its own stated rule")
    add("--what", choices=WHAT, help="what the files hold (default: events; a preset: all it has)")
    add("--dry-run", action="store_true", help="show the first rows as they would be read")
    add("--rows", type=int, default=8, help="how many rows --dry-run shows (default 8)")
    add("--rejects", type=Path, help="where refused rows go (default: <home>/imports/)")
    add("--no-drain", action="store_true", help="leave the events on the stream for the worker")
    add(
        "--move-to-now",
        action="store_true",
        help="move all times by whole weeks so that the newest event is of this week",
    )
    add("--source", default="", help="salt of the made-up event ids (default: none)")
    _text_options(parser.add_argument_group("how the files are written"))
    _event_options(parser.add_argument_group("events"))
    _side_options(parser.add_argument_group("items, users and labels"))


def _text_options(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    add("--delimiter", default="", help="one character, or tab (default: by the file's name)")
    add("--no-header", action="store_true", help="the first line is data; columns are 1, 2, …")
    add("--encoding", default="utf-8-sig", help="of text files (default utf-8)")
    add("--tz", default="UTC", help="zone of times without one, such as Europe/Berlin")
    add("--at-unit", choices=AT_UNITS, default="auto", help="unit of the times (default auto)")
    add(
        "--at-format",
        default="",
        help="strptime format of the times, such as '%%d/%%m/%%Y %%H:%%M'",
    )


def _event_options(group: "argparse._ArgumentGroup") -> None:
    for name in MAPPED:
        flag = "--" + name.replace("_", "-")
        group.add_argument(flag, dest=f"map_{name}", metavar="COLUMN", help=_HELP.get(name))
    kinds = ", ".join(kind.name for kind in Kind)
    add = group.add_argument
    add("--kind-map", default="", metavar="WORD=KIND,…", help=f"their words for: {kinds}")
    add("--property", action="append", default=[], metavar="NAME[=COLUMN]", help="keep a column")


_HELP = {
    "user": "who; a row needs a user or a session",
    "kind": "what happened: a column, or a constant such as =purchase",
    "at": "when",
    "value": "the event's total, in units of its currency",
    "event_id": "the row's own id (default: made from its content)",
    "refunds": "the event_id that a refund undoes",
}


def _side_options(group: "argparse._ArgumentGroup") -> None:
    add = group.add_argument
    add("--title", metavar="COLUMN")
    add("--categories", metavar="COLUMN,…", help="broadest first")
    add("--price", metavar="COLUMN")
    add("--available", metavar="COLUMN")
    add("--hidden", metavar="COLUMN")
    add("--expires-at", metavar="COLUMN")
    add("--created-at", metavar="COLUMN")
    add("--separator", default="|", help="parts several categories in one cell (default |)")
    add(
        "--attribute",
        action="append",
        metavar="NAME[=COLUMN][:TYPE]",
        help=f"TYPE is one of {', '.join(TYPES)}; without any, all other columns are attributes",
    )
    for what in ("items", "users", "labels"):
        add(f"--{what}", dest="what", action="store_const", const=what, help=f"--what {what}")
    add("--label", metavar="COLUMN", help="labels: what became of the user")
    add("--name", default="", help="labels: the name of the set, such as churn")


_FIELDS = ("title", "price", "available", "hidden", "expires_at", "created_at")


def text_options(args: argparse.Namespace) -> TextOptions:
    """Answer how the text files are written; raises ScientistError for a bad delimiter."""
    stated: str = args.delimiter
    delimiter = "\t" if stated in ("tab", "\\t") else stated
    if len(delimiter) > 1:
        raise ScientistError("--delimiter is one character, or the word tab")
    try:
        "".encode(args.encoding)
    except LookupError as error:
        raise ScientistError(f"no such encoding: {args.encoding}") from error
    return TextOptions(delimiter, not args.no_header, args.encoding)


def pairs(option: str, texts: list[str]) -> dict[str, str]:
    """Answer NAME[=COLUMN] texts as a dict; raises ScientistError naming `option`."""
    found: dict[str, str] = {}
    for text in texts:
        name, told, source = text.partition("=")
        if not name or (told and not source):
            raise ScientistError(f"{option}: {text!r} is not NAME=COLUMN")
        found[name] = source or name
    return found


def mapping_of(args: argparse.Namespace) -> Mapping:
    """Answer the mapping that the options state (columns not stated are absent)."""
    stated = {name: getattr(args, f"map_{name}") for name in MAPPED}
    words = [word.strip() for word in args.kind_map.split(",") if word.strip()]
    if any("=" not in word for word in words):
        raise ScientistError("--kind-map takes WORD=KIND,WORD=KIND")
    kinds = pairs("--kind-map", words)
    unknown = sorted(set(kinds.values()) - {kind.name for kind in Kind})
    if unknown:
        raise ScientistError(f"--kind-map: no such kind: {', '.join(unknown)}")
    return Mapping(
        columns={name: source for name, source in stated.items() if source is not None},
        kinds=kinds,
        properties=pairs("--property", args.property),
        unit=args.at_unit,
        zone=check_zone(args.tz),
        form=args.at_format,
    )


def description_of(args: argparse.Namespace, key: str, names: list[str]) -> Description:
    """Answer how items or users are described; `names` are the columns of the file.

    The key is recognised by its usual names; other fields of ours also where a column has
    just that name.
    """
    columns = {key: getattr(args, f"map_{key}") or recognise(names).get(key, key)}
    categories = args.categories or ""
    if key == "item":
        stated = {name: getattr(args, name) for name in _FIELDS}
        columns |= {
            name: source or name for name, source in stated.items() if source or name in names
        }
        categories = categories or ("categories" if "categories" in names else "")
    attributes: dict[str, tuple[str, str]] | None = None
    if args.attribute is not None:
        attributes = {}
        for text in args.attribute:
            plain, _, kind = text.partition(":")
            if kind and kind not in TYPES:
                raise ScientistError(f"--attribute: type {kind!r} is not one of {', '.join(TYPES)}")
            attributes |= {
                name: (source, kind) for name, source in pairs("--attribute", [plain]).items()
            }
    return Description(
        key=key,
        columns=columns,
        categories=tuple(filter(None, categories.split(","))),
        attributes=attributes,
        separator=args.separator,
        times=Mapping({}, unit=args.at_unit, zone=check_zone(args.tz), form=args.at_format),
    )


__all__ = ["WHAT", "description_of", "fill_parser", "mapping_of", "text_options"]
