"""The server-side scripts, read from files beside this one and named by their digests.

Scripts run atomically in the server. Knows nothing of who calls them.
"""

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

_FOLDER = Path(__file__).parent / "scripts"


@dataclass(slots=True, frozen=True)
class Script:
    """One script: its Lua text and the digest the server knows it by."""

    name: str
    text: str
    sha: str


def _load(name: str, *before: str) -> Script:
    """Read a script; `before` names what is put before it, in order."""
    parts = [(_FOLDER / f"{each}.lua").read_text(encoding="utf-8") for each in (*before, name)]
    text = "\n".join(parts)
    digest = sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name, text, digest)


APPEND = _load("append", "in_order", "records")
LINK = _load("link")
CARRY = _load("carry", "names", "records")
COMPARE_AND_SET = _load("compare_and_set")
PUT_SCORES = _load("put_scores")
PUT_ITEMS = _load("put_items")
COMMIT_ITEMS = _load("commit_items")
DELETE_ITEMS = _load("delete_items")
PAGE_ITEMS = _load("page_items")
ITEM_CHANGES = _load("item_changes")
LEASE = _load("lease", "accounts")
SETTLE = _load("settle", "accounts")
COUNT = _load("count", "accounts")
MARK = _load("mark")

ALL = (
    APPEND,
    LINK,
    CARRY,
    COMPARE_AND_SET,
    PUT_SCORES,
    PUT_ITEMS,
    COMMIT_ITEMS,
    DELETE_ITEMS,
    PAGE_ITEMS,
    ITEM_CHANGES,
    LEASE,
    SETTLE,
    COUNT,
    MARK,
)
