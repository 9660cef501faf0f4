"""The outbox: what is to be told, what was told to whom, and when to try again; on disk.

One SQLite file, every change a transaction, so a kill loses nothing and says nothing twice that
was taken in once. What cannot be delivered ends in a file of dead letters. Knows nothing of
targets or sweeps.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from feature_store.sweeps.durable import write_whole

OUTBOX = "outbox.db"
DEAD_LETTERS = "dead-letters.ndjson"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (
  id TEXT PRIMARY KEY, created INTEGER, body BLOB, attempts INTEGER, next_at INTEGER, last TEXT);
CREATE INDEX IF NOT EXISTS due ON deliveries (next_at, created);
CREATE TABLE IF NOT EXISTS told (user TEXT, band TEXT, at INTEGER, PRIMARY KEY (user, band))
  WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS taken (source TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class Delivery(NamedTuple):
    """One body to be posted. created, next_at: UTC ms. last: what became of the last attempt."""

    id: str
    created: int
    body: bytes
    attempts: int = 0
    next_at: int = 0
    last: str = ""


class Standing(NamedTuple):
    """How many wait, the oldest's age in ms, when the next is due (UTC ms), how many are dead."""

    waiting: int
    oldest: int | None
    due: int | None
    dead: int


class Outbox:
    """The outbox under `folder`, which only its owner may look into: it names users."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._db = sqlite3.connect(folder / OUTBOX, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.executescript(_SCHEMA)
        os.chmod(folder / OUTBOX, 0o600)

    def __enter__(self) -> "Outbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    @contextmanager
    def _whole(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def knows(self, source: str) -> bool:
        """Tell whether what `source` had to tell was taken in."""
        query = "SELECT 1 FROM taken WHERE source = ?"
        return self._db.execute(query, (source,)).fetchone() is not None

    def is_new(self) -> bool:
        """Tell whether nothing was ever taken in."""
        return self._db.execute("SELECT 1 FROM taken").fetchone() is None

    def told_since(self, since: int) -> set[tuple[str, str]]:
        """Answer the (user, band) pairs told of after `since` (UTC ms)."""
        return set(self._db.execute("SELECT user, band FROM told WHERE at > ?", (since,)))

    def take(
        self, source: str, deliveries: Iterable[Delivery], told: Sequence[tuple[str, str]], at: int
    ) -> bool:
        """Take in all that `source` has to tell, once; answer False when it was taken before."""
        with self._whole():
            try:
                self._db.execute("INSERT INTO taken VALUES (?)", (source,))
            except sqlite3.IntegrityError:
                return False
            self._db.executemany("INSERT INTO deliveries VALUES (?, ?, ?, ?, ?, ?)", deliveries)
            pairs = [(user, band, at) for user, band in told]
            self._db.executemany("INSERT OR REPLACE INTO told VALUES (?, ?, ?)", pairs)
        return True

    def due(self, now: int) -> Delivery | None:
        """Answer the delivery that has been due longest, None when none is."""
        row = self._db.execute(
            "SELECT * FROM deliveries WHERE next_at <= ? ORDER BY next_at, created, id LIMIT 1",
            (now,),
        ).fetchone()
        return None if row is None else Delivery(*row)

    def done(self, delivery: str) -> None:
        """Forget a delivery that arrived."""
        self._db.execute("DELETE FROM deliveries WHERE id = ?", (delivery,))

    def again(self, delivery: str, next_at: int, last: str) -> None:
        """Try a delivery again at `next_at` (UTC ms)."""
        self._db.execute(
            "UPDATE deliveries SET attempts = attempts + 1, next_at = ?, last = ? WHERE id = ?",
            (next_at, last, delivery),
        )

    def bury(self, delivery: Delivery, now: int) -> None:
        """Move a delivery to the dead letters; there first, so that a kill leaves it twice, not
        never."""
        line = {
            "id": delivery.id,
            "created": delivery.created,
            "buried": now,
            "attempts": delivery.attempts,
            "last": delivery.last,
            "body": delivery.body.decode(),
        }
        path = self.folder / DEAD_LETTERS
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as file:
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.done(delivery.id)

    def dead(self) -> list[Delivery]:
        """Answer the dead letters, each once; a line cut short by a kill is passed over."""
        found: dict[str, Delivery] = {}
        try:
            lines = (self.folder / DEAD_LETTERS).read_bytes().splitlines()
        except FileNotFoundError:
            return []
        for line in lines:
            try:
                raw = json.loads(line)
                body = raw["body"].encode()
                found[raw["id"]] = Delivery(
                    raw["id"], raw["created"], body, raw["attempts"], 0, raw["last"]
                )
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
        return list(found.values())

    def revive(self) -> int:
        """Put the dead letters back, as if never tried; answer how many."""
        letters = [letter._replace(attempts=0, next_at=0, last="") for letter in self.dead()]
        with self._whole():
            self._db.executemany(
                "INSERT OR IGNORE INTO deliveries VALUES (?, ?, ?, ?, ?, ?)", letters
            )
        if letters:
            write_whole(self.folder / DEAD_LETTERS, b"")
            os.chmod(self.folder / DEAD_LETTERS, 0o600)
        return len(letters)

    def standing(self, now: int) -> Standing:
        """Answer how things stand."""
        query = "SELECT COUNT(*), MIN(created), MIN(next_at) FROM deliveries"
        waiting, created, due = self._db.execute(query).fetchone()
        oldest = None if created is None else now - int(created)
        return Standing(int(waiting), oldest, due, len(self.dead()))
