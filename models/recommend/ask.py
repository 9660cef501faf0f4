"""What is asked and for whom: the checked question, and the history it may rest on.

Plain values. Knows nothing of how they came in or of how they are answered.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import BadField
from models.recommend.controls import NO_CONTROLS, Controls, check_controls
from models.recommend.filters import NO_FILTER, Filter, Rule, check_filter, check_rules
from models.recommend.lookup import Hashes

MAX_K = 500


class Origin(StrEnum):
    """Whose history an answer is to rest on."""

    user = "user"
    session = "session"
    history = "history"
    nobody = "nobody"


class Asker(NamedTuple):
    """A history, oldest first: item hashes uint64[h], kinds uint8[h], at int64[h] (ms); segments
    of whoever asks, looked at where there is no history."""

    origin: Origin
    items: Hashes
    kinds: npt.NDArray[np.uint8]
    ats: npt.NDArray[np.int64]
    segments: tuple[str, ...] = ()


NOBODY = Asker(Origin.nobody, np.zeros(0, np.uint64), np.zeros(0, np.uint8), np.zeros(0, np.int64))


def remembered(
    origin: Origin,
    items: Hashes,
    kinds: npt.NDArray[np.uint8],
    ats: npt.NDArray[np.int64],
    cap: int,
) -> Asker:
    """Answer the last `cap` events of a history given oldest first, as arrays of its own.

    Always copies: the column of a single record is contiguous as it is, but may not be
    written, which to the kernels is another type, compiled while somebody waits.
    """
    return Asker(origin, items[-cap:].copy(), kinds[-cap:].copy(), ats[-cap:].copy())


def moment(asker: Asker, now_ms: int) -> int:
    """Answer the as_of of an answer given now: after every event, also of a clock that is fast."""
    return max(now_ms, int(asker.ats[-1]) + 1) if asker.ats.size else now_ms


@dataclass(slots=True, frozen=True)
class Ask:
    """What is asked: 1 ≤ k ≤ MAX_K, 0 ≤ diversity ≤ 1; see filters for the rest.

    item: the item in view, "" for none. exclude_seen: None leaves it to what the model
    learned from the log. explain: whether every place comes with its reasons. controls: what
    else is asked of the answer; NO_CONTROLS itself costs nothing (see controls.settled).
    device, page: where it will be shown, "" unknown; they change nothing but what is likely.
    """

    k: int = 20
    item: str = ""
    exclude_seen: bool | None = None
    chosen: Filter = NO_FILTER
    rules: tuple[Rule, ...] = ()
    diversity: float = 0.0
    explain: bool = False
    controls: Controls = NO_CONTROLS
    device: str = ""
    page: str = ""


def check_ask(ask: Ask) -> Ask:
    """Answer `ask` when it can be answered.

    Raises BadField naming the first field that is out of range or contradicts another.
    """
    if not 1 <= ask.k <= MAX_K:
        raise BadField(f"a whole number from 1 to {MAX_K}", field="k", code="out_of_range")
    if not 0 <= ask.diversity <= 1:
        raise BadField("a number from 0 to 1", field="diversity", code="out_of_range")
    if ask.chosen is not NO_FILTER:
        check_filter(ask.chosen)
    if ask.rules:
        check_rules(ask.rules, ask.chosen)
    if ask.controls is not NO_CONTROLS:
        check_controls(ask.controls, ask.k, ask.exclude_seen, ask.item)
        if ask.controls.calibrated and ask.diversity > 0:
            raise BadField("a number or calibrated", field="diversity", code="contradiction")
    return ask
