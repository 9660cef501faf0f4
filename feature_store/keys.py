"""The names of keys. Keys of one bucket share a hash tag, so a cluster keeps them together.

Part of the stored format: a letter for what it holds, the tag, the entity.
"""

from functools import lru_cache

from domain.ids import bucket_of, hash64

ITEMS_DATA = "i{items}"
"""Hash: item id → JSON."""
ITEMS_ORDER = "o{items}"
"""Sorted set of item ids, all with score 0: byte order."""
ITEMS_VERSION = "v{items}"
"""Integer, raised by every change of the catalogue."""
ITEMS_CHANGES = "c{items}"
"""Stream of changes; an entry's id is `<version>-<place>`."""
ITEMS_DELETED = "g{items}"
"""Sorted set of the ids that were deleted and not put again, all with score 0."""
CAMPAIGNS = tuple(f"{kind}{{campaigns}}" for kind in "iovcg")
"""The same five for campaigns: data, order, version, changes, deleted."""
FORMAT = "format{items}"
"""What was fixed when the store was first used: the format and the number of buckets."""

_bucket = lru_cache(maxsize=131_072)(bucket_of)


def bucket(entity: str, buckets: int) -> int:
    """Answer the bucket of an entity, remembering recent ones."""
    return _bucket(entity, buckets)


def history(bucket: int, entity: str) -> str:
    """Name an entity's header and records."""
    return f"h{{{bucket}}}{entity}"


def forgotten(bucket: int, entity: str) -> str:
    """Name the ids of an entity's events that left its history."""
    return f"d{{{bucket}}}{entity}"


def profile(bucket: int, entity: str) -> str:
    """Name a user's profile."""
    return f"p{{{bucket}}}{entity}"


def scores(bucket: int, entity: str) -> str:
    """Name an entity's cached scores."""
    return f"s{{{bucket}}}{entity}"


def link(bucket: int, entity: str) -> str:
    """Name the link of a session to its user, in the session's bucket."""
    return f"l{{{bucket}}}{entity}"


def carried(bucket: int, entity: str) -> str:
    """Name the mark, in the user's bucket, that a session was carried over to a user."""
    return f"m{{{bucket}}}{entity}"


def intake(bucket: int) -> str:
    """Name the bucket's stream of accepted events."""
    return f"x{{{bucket}}}"


def decisions(bucket: int) -> str:
    """Name the bucket's stream of decisions."""
    return f"y{{{bucket}}}"


def blob(name: str) -> str:
    """Name a small value shared by all processes."""
    return f"b{{blob}}{name}"


def shown(bid: str, buckets: int) -> str:
    """Name what was shown under a bid's id; in a bucket, so that a cluster reads many at once."""
    return f"w{{{bucket_of(bid, buckets)}}}{bid}"


def chosen(decision: str, buckets: int) -> str:
    """Name what was answered under a decision's id; in a bucket, as `shown`."""
    return f"g{{{bucket_of(decision, buckets)}}}{decision}"


def rewarded(decision: str, buckets: int) -> str:
    """Name the marks of the places of an answer that were rewarded."""
    return f"v{{{bucket_of(decision, buckets)}}}{decision}"


def staging(token: str) -> str:
    """Name the place where a large put of items is gathered before it counts."""
    return f"t{{items}}{token}"


@lru_cache(maxsize=16_384)
def account(campaign: str) -> tuple[str, str, str, str]:
    """Name a campaign's account, its leases, when they close, and the bids told of."""
    tag = f"{{m{hash64(campaign):016x}}}"
    return (f"ba{tag}", f"bl{tag}", f"bc{tag}", f"bm{tag}")
