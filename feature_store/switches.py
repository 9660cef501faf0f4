"""Kill switches: who must not bid at all, what must not be learned, and the keys of notices.

Two small values that all processes share. A switch is thrown in one call and seen by every
worker within a second. Knows nothing of who looks at them.
"""

import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Any

import msgspec

from domain.errors import OperatorError
from domain.notices import KEY_BYTES
from feature_store.store import Store

SWITCHES = "bid-switches"
KEYS = "notice-keys"
_KEPT_KEYS = 2

_encode = msgspec.json.Encoder().encode
_KEYS_OF = msgspec.json.Decoder(list[str]).decode


@dataclass(slots=True, frozen=True)
class Switches:
    """What is switched off: everything, campaigns by id, exchanges by name.

    learning: whatever was learned; what is bid is the standard bid. exploration: of what was
    learned only the best known arm is bid. recommend_learning, recommend_exploration: the same
    of recommendations: the released mix of members answers; no place is filled to learn.
    """

    everything: bool = False
    campaigns: frozenset[str] = frozenset()
    exchanges: frozenset[str] = frozenset()
    learning: bool = False
    exploration: bool = False
    recommend_learning: bool = False
    recommend_exploration: bool = False


ALL_ON = Switches()
_SWITCHES_OF = msgspec.json.Decoder(Switches).decode


def parse_switches(held: bytes | None) -> Switches:
    """Read switches; raises OperatorError for what cannot be read."""
    if not held:
        return ALL_ON
    try:
        return _SWITCHES_OF(held)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise OperatorError("the switches in the store cannot be read: put them again") from error


async def put_switches(store: Store, switches: Switches) -> None:
    """Throw switches."""
    shown: dict[str, Any] = {
        "everything": switches.everything,
        "campaigns": sorted(switches.campaigns),
        "exchanges": sorted(switches.exchanges),
        "learning": switches.learning,
        "exploration": switches.exploration,
        "recommend_learning": switches.recommend_learning,
        "recommend_exploration": switches.recommend_exploration,
    }
    await store.put_blob(SWITCHES, _encode(shown))


async def load_switches(store: Store) -> Switches:
    """Answer the switches as they are; raises OperatorError, StoreUnavailable."""
    return parse_switches(await store.get_blob(SWITCHES))


async def load_keys(store: Store) -> list[bytes]:
    """Answer the keys of notices, the one that signs first; makes one where there is none."""

    def edit(held: bytes | None) -> bytes:
        return held or _encode([b64encode(os.urandom(KEY_BYTES)).decode()])

    return _keys(await store.edit_blob(KEYS, edit))


async def renew_keys(store: Store) -> list[bytes]:
    """Put a new key in front; the one before is still believed, those before it are not."""

    def edit(held: bytes | None) -> bytes:
        fresh = b64encode(os.urandom(KEY_BYTES)).decode()
        known = [b64encode(key).decode() for key in _keys(held)] if held else []
        return _encode([fresh, *known][:_KEPT_KEYS])

    return _keys(await store.edit_blob(KEYS, edit))


def _keys(held: bytes | None) -> list[bytes]:
    try:
        keys = [b64decode(key, validate=True) for key in _KEYS_OF(held or b"")]
    except (msgspec.MsgspecError, ValueError) as error:
        raise OperatorError("the keys of notices in the store cannot be read") from error
    if not keys or any(len(key) != KEY_BYTES for key in keys):
        raise OperatorError("the keys of notices in the store are not keys")
    return keys
