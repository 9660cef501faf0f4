"""Label files: what is known to have become of users, kept under the home as Parquet.

A label set is `<home>/labels/<name>.parquet` with columns user, at (UTC ms), label (text)
and a manifest beside it. Knows nothing of what is learned from it.
"""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import polars as pl

from domain.errors import ScientistError
from domain.ids import is_valid_id, user_entity
from feature_store.store import Store
from training.importing.checking import Rejected
from training.importing.counts import Counts
from training.importing.landing import Landing
from training.importing.patience import patiently

SCHEMA = {"user": pl.String, "at": pl.Int64, "label": pl.String}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_READ = 500
_MOST_LABELS_SHOWN = 50


@dataclass(slots=True, frozen=True)
class LabelManifest:
    """The passport of a label set; `digest` is the SHA-256 of its Parquet file."""

    name: str
    rows: int
    users: int
    unknown_users: int
    first_at: int | None
    last_at: int | None
    labels: dict[str, int]
    rejected: dict[str, int]
    digest: str
    created_at: int


def labels_dir(home: Path) -> Path:
    """Answer the folder of the label sets."""
    return home / "labels"


def load_labels(home: Path, name: str) -> tuple[pl.DataFrame, LabelManifest]:
    """Answer a label set and its manifest; raises ScientistError when missing or changed."""
    path = labels_dir(home) / f"{name}.parquet"
    try:
        manifest = LabelManifest(**json.loads(path.with_suffix(".json").read_text("utf-8")))
        data = path.read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise ScientistError(f"no readable label set {name!r}: import it first") from error
    if hashlib.sha256(data).hexdigest() != manifest.digest:
        raise ScientistError(f"label set {name!r} is not as it was imported: import it again")
    return pl.read_parquet(data), manifest


async def store_labels(
    frames: Iterable[tuple[str, pl.DataFrame]], landing: Landing, home: Path, name: str
) -> tuple[LabelManifest, Counts]:
    """Check and keep a label set under `name`, in place of an older one.

    `frames` are (file, frame) with columns row, user, at, label, fault. A user with two
    different labels at one time is refused the second. Users that the store has never seen
    are kept and counted. Raises ScientistError when the name is not one or nothing is left.
    """
    if not _NAME.fullmatch(name):
        raise ScientistError("a label set's name is small letters, digits, _ and -, at most 64")
    counts = Counts()
    kept: dict[tuple[str, int], str] = {}
    for file, frame in frames:
        for row, user, at, label, fault in frame.select(
            "row", "user", "at", "label", "fault"
        ).iter_rows():
            counts.read += 1
            refused = _refused(row, user, at, label, fault, kept)
            if refused is not None:
                counts.rejected[refused.code] += 1
                landing.rejects.write(file, [refused])
            elif (user, at) in kept:
                counts.duplicates += 1
            else:
                kept[user, at] = label
                counts.accepted += 1
    if not kept:
        raise ScientistError("no row of the label file can be used; see the rejects file")
    unknown = await _unknown(landing.store, sorted({user for user, _ in kept}))
    return _write(home, name, kept, unknown, counts, landing.clock()), counts


def _refused(
    row: int, user: str, at: int | None, label: str, fault: str, kept: dict[tuple[str, int], str]
) -> Rejected | None:
    if fault:
        return Rejected(row, "", "unreadable", fault)
    if not is_valid_id(user):
        return Rejected(row, "user", "bad_field", "not a user id")
    if at is None:
        return Rejected(row, "at", "missing", "a label needs the time it was known from")
    if not label:
        return Rejected(row, "label", "missing", "no label")
    if kept.get((user, at), label) != label:
        return Rejected(row, "label", "conflict", "another label of this user at this time")
    return None


async def _unknown(store: Store, users: list[str]) -> int:
    unknown = 0
    for start in range(0, len(users), _READ):
        entities = [user_entity(user) for user in users[start : start + _READ]]
        read = await patiently(partial(store.read, entities))
        unknown += sum(not state.found for state in read.states)
    return unknown


def _write(
    home: Path,
    name: str,
    kept: dict[tuple[str, int], str],
    unknown: int,
    counts: Counts,
    now_ms: int,
) -> LabelManifest:
    rows = [(user, at, label) for (user, at), label in sorted(kept.items())]
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    folder = labels_dir(home)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.parquet"
    fresh = folder / f"{name}.parquet.tmp"
    frame.write_parquet(fresh, compression="zstd")
    told = Counter(label for _, _, label in rows).most_common(_MOST_LABELS_SHOWN)
    manifest = LabelManifest(
        name=name,
        rows=frame.height,
        users=frame["user"].n_unique(),
        unknown_users=unknown,
        first_at=min(at for _, at, _ in rows),
        last_at=max(at for _, at, _ in rows),
        labels=dict(told),
        rejected=dict(counts.rejected),
        digest=hashlib.sha256(fresh.read_bytes()).hexdigest(),
        created_at=now_ms,
    )
    note = folder / f"{name}.json.tmp"
    note.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    # A kill between the two leaves a digest that does not match: load_labels says so.
    os.replace(fresh, path)
    os.replace(note, path.with_suffix(".json"))
    return manifest
