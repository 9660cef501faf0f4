"""What a fit starts from: the log brought up to date and loaded, its digest, the source revision.

Knows nothing of families or of how a log is parted.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from domain.errors import TooLittleData
from domain.ids import hash64
from domain.items import Item
from feature_store.history import History
from feature_store.log.drain import drain_now
from feature_store.log.reader import read_log
from feature_store.opening import open_streams
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.bundle import DataStamp
from training.fit.facts import ReadItems, no_items, read_items
from training.fit.sentiment import Reviewed, reviews_in_log

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Log:
    """The event log in memory: histories, the ids of all items in it, where it lies.

    catalogue: reads what the store, and reviews in the log, say of items, when somebody asks.
    """

    history: History
    items: tuple[str, ...]
    source: str
    catalogue: ReadItems = no_items


def bring_up_to_date(settings: StoreSettings, home: Home, url: str | None) -> None:
    """Move every event accepted so far from the store's streams to the log."""
    streams = open_streams(settings, home, url)
    try:
        drain_now(streams, home)
    finally:
        streams.close()


def load_log(home: Home, settings: StoreSettings, url: str | None = None) -> Log:
    """Load the whole log; `url` is the store's, None for the embedded one.

    Raises TooLittleData when it holds no event.
    """
    history = History.load(home.log, cap=settings.history_cap)
    if not history.events:
        raise TooLittleData(
            "the event log is empty; `python -m training import` brings events in, or post some "
            "to the service"
        )
    names = read_log(home.log, ["item"])["item"].unique().drop_nulls().sort().to_list()
    ids = tuple(name for name in names if name)

    def described() -> dict[str, Item]:
        return Reviewed(read_items(settings, home, url), reviews_in_log(home.log))

    return Log(history, ids, str(home.log), described)


def no_log(source: str) -> Log:
    """Answer a log without an event, for a fit that stands on a table at `source`."""
    return Log(History.from_events([]), (), source)


def data_stamp(history: History, split: Mapping[str, Any]) -> DataStamp:
    """Answer what a history holds: SHA-256 over every event and its owner, count, time range.

    The same events give the same digest in whatever order their files are read.
    """
    # The groups after the entities' own repeat events for links: each event counts once.
    count = history.events
    records = history.records[:count]
    owners = np.array([hash64(entity) for entity in history.entities], np.uint64)
    owner = np.repeat(owners, np.diff(history.offsets[: len(owners) + 1]))
    order = np.lexsort((owner, records["event"], records["at"]))
    digest = sha256(records[order].view(np.uint8).data)
    digest.update(owner[order].view(np.uint8).data)
    ats = records["at"]
    first, last = (int(ats.min()), int(ats.max())) if len(ats) else (0, 0)
    return DataStamp(digest.hexdigest(), count, first, last, dict(split))


def source_commit(root: Path = ROOT) -> str:
    """Answer the revision of the checkout, with "+" when it was changed; "" without one."""

    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f"{commit}+" if commit and changed else commit
