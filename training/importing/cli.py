"""`python -m training import`: files and presets into the store, counted and reported.

Runs one import from parsed options; the same path as the HTTP door, so safe to run twice.
Knows nothing of what is learned afterwards.
"""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from textwrap import fill

import polars as pl
from tqdm import tqdm

from domain.clock import Clock, system_clock
from domain.errors import ScientistError
from feature_store.log.status import log_status
from feature_store.opening import open_store
from feature_store.redis.connection import Limits
from feature_store.settings import Home, settings_from_env
from training.importing.arguments import description_of, fill_parser, mapping_of, text_options
from training.importing.attributes import patch_users, put_items
from training.importing.counts import Counts
from training.importing.draining import log_drain
from training.importing.labels import store_labels
from training.importing.landing import Landing, RejectsFile
from training.importing.moving import WEEK_MS, moved, remembered_move
from training.importing.patience import REPLY_S
from training.importing.pouring import SourceFrame, pour
from training.importing.presets import PRESETS
from training.importing.preview import preview_events, preview_rows
from training.importing.sources import (
    Files,
    NamedFrames,
    completed,
    described,
    event_frames,
    event_times,
    labelled,
    named,
    preset_events,
    preset_path,
    total_rows,
)

Say = Callable[[str], object]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `import` command to the training command line."""
    parser = subparsers.add_parser("import", help="bring events, items, users and labels in")
    parser.description = "Bring files into the store and the log; importing twice changes nothing."
    fill_parser(parser)
    parser.set_defaults(run=run)


@dataclass(slots=True)
class Plan:
    """What one import reads: any of the four contents, and how many rows when known."""

    name: str
    items: NamedFrames | None = None
    users: NamedFrames | None = None
    events: Iterator[SourceFrame] | None = None
    labels: NamedFrames | None = None
    rows: int | None = None
    currency: str = ""
    label_set: str = ""


def plan_of(args: argparse.Namespace, scratch: Path, say: Say) -> Plan:
    """Answer what the options ask for; raises ScientistError with what to say instead."""
    if args.preset:
        preset = PRESETS[args.preset]
        path = preset_path(preset, args.files)
        held = {"events", *preset.sides()}
        wanted = {args.what} if args.what else held
        if not wanted <= held:
            raise ScientistError(f"{preset.name} holds no {args.what}: {', '.join(sorted(held))}")
        say(f"{preset.about}\n{fill(f'rule: {preset.rule}', 96)}")
        plan = Plan(preset.name, currency=preset.currency)
        if "items" in wanted:
            plan.items = named(preset.name, preset.items(path))
        if "users" in wanted:
            plan.users = named(preset.name, preset.users(path))
        if "events" in wanted:
            plan.events = preset_events(preset, path, scratch)
            if args.move_to_now:
                plan.events = _moved(plan, preset.times(path), scratch, args.dry_run, say)
            file = preset.event_table.path_in(path)
            plan.rows = total_rows((file,)) if file else None
        return plan
    if not args.files:
        raise ScientistError("nothing to import: name files, or a --preset")
    return _plan_of_files(args, scratch, say)


def _plan_of_files(args: argparse.Namespace, scratch: Path, say: Say) -> Plan:
    files = Files(tuple(args.files), text_options(args))
    what = args.what or "events"
    plan = Plan(args.files[0].name, rows=files.rows())
    if what == "events":
        mapping = completed(mapping_of(args), files.names(), say)
        currency = mapping.columns.get("currency", "")
        plan.currency = currency[1:] if currency.startswith("=") else ""
        plan.events = event_frames(files, mapping, args.source, scratch)
        if args.move_to_now:
            plan.events = _moved(plan, event_times(files, mapping), scratch, args.dry_run, say)
    elif what == "labels":
        if not args.label or not args.name:
            raise ScientistError("labels need --label COLUMN and --name SET")
        mapping = completed(mapping_of(args).with_kind("custom"), files.names(), say)
        plan.labels, plan.label_set = labelled(files, mapping, args.label), args.name
    else:
        key = what.removesuffix("s")
        frames = described(files, description_of(args, key, files.names()))
        plan.items, plan.users = (frames, None) if key == "item" else (None, frames)
    return plan


def _moved(
    plan: Plan, times: Iterator[pl.DataFrame], scratch: Path, dry: bool, say: Say
) -> Iterator[SourceFrame]:
    note = scratch / "imports" / f"{plan.name}.moved.json"
    by_ms = remembered_move(note, times, system_clock(), keep=not dry)
    say(f"all times are moved {by_ms // WEEK_MS:,} weeks on, so that the log ends this week")
    return moved(plan.events or iter(()), by_ms)


def run(args: argparse.Namespace) -> int:
    """Run one import; answer 0, or 1 when not a single row could be used."""
    settings, home, url = settings_from_env()
    say: Say = print
    if not args.dry_run:
        home.root.mkdir(parents=True, exist_ok=True)
    plan = plan_of(args, home.root, say)
    if args.dry_run:
        _show(plan, args.rows, system_clock, say)
        return 0
    if plan.currency and plan.currency != settings.house_currency:
        say(
            f"note: amounts are in {plan.currency} and the house currency is "
            f"{settings.house_currency or 'not set'}: they are kept, but not summed "
            f"(set SANDERLING_CURRENCY={plan.currency} before the first import)"
        )
    path = args.rejects or home.root / "imports" / f"{plan.name}.rejects.csv"

    drain = None if args.no_drain or plan.events is None else log_drain(settings, home, url)

    async def whole() -> list[Counts]:
        limits = Limits(reply=REPLY_S, dial=REPLY_S)
        store = await open_store(settings, home, url, limits=limits)
        try:
            with RejectsFile(path) as rejects:
                landing = Landing(store, system_clock, rejects, drain)
                return await carry_out(plan, landing, home, say)
        finally:
            await store.close()

    counts = asyncio.run(whole())
    if drain is not None:
        say(f"log: {log_status(home.log).rows:,} rows in {home.log}")
    if any(count.rejected for count in counts):
        say(f"rejected rows: {path}")
    return 1 if all(c.rejected.total() == c.read - c.skipped > 0 for c in counts) else 0


async def carry_out(plan: Plan, landing: Landing, home: Home, say: Say) -> list[Counts]:
    """Import everything a plan holds, items first, and say what became of it."""
    done: list[Counts] = []
    if plan.items is not None:
        with progress_bar("items", None) as progress:
            done.append(await put_items(plan.items, landing, progress))
        _say_counts("items", done[-1], say)
    if plan.users is not None:
        with progress_bar("users", None) as progress:
            done.append(await patch_users(plan.users, landing, progress))
        _say_counts("users", done[-1], say)
    if plan.events is not None:
        with progress_bar("events", plan.rows) as progress:
            done.append(await pour(plan.events, landing, progress))
        _say_counts("events", done[-1], say)
    if plan.labels is not None:
        manifest, counts = await store_labels(plan.labels, landing, home.root, plan.label_set)
        done.append(counts)
        _say_counts("labels", counts, say)
        say(f"  {manifest.users:,} users, of them never seen: {manifest.unknown_users:,}")
    return done


def _say_counts(what: str, counts: Counts, say: Say) -> None:
    if counts.read:
        for line in counts.lines(what):
            say(line)


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[int], object]]:
    """Show a bar on standard error while rows go by."""
    look = {"desc": f"{what:8}", "unit": " rows", "unit_scale": True, "mininterval": 0.5}
    with tqdm(total=total, file=sys.stderr, **look) as bar:
        yield bar.update


def _show(plan: Plan, rows: int, clock: Clock, say: Say) -> None:
    for what, frames in (("items", plan.items), ("users", plan.users), ("labels", plan.labels)):
        for _, frame in islice(frames or (), 1):
            say(preview_rows(what, frame, rows))
    for source in islice(plan.events or (), 1):
        say(preview_events(source.frame, rows, clock()))


__all__ = ["Plan", "add_parser", "carry_out", "plan_of", "progress_bar", "run"]
