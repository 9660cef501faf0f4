"""What is known of the user behind an auction, in one record; of nobody, nothing.

Filled by service.bid_users, used by whoever matches and prices. Knows nothing of stores or leave.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.records import Records

F64 = npt.NDArray[np.float64]
NO_CHANCES: Mapping[str, float] = MappingProxyType({})


class KnownUser(NamedTuple):
    """What is known of the user behind an auction, with leave; of nobody, nothing.

    entity: whose history a billed impression is to join, "" for a bid by the context alone.
    segments: of those asked for. scores: chances by family, as they were told last. numbers:
    float64[len(NUMBERS)] of models.bidding.columns, None when there is no model to ask for them
    or no event before as_of. seen: the history (at, kind, campaign), for caps on frequency.
    as_of: ms UTC, events before it count; 0 when nothing was looked at.
    """

    entity: str = ""
    segments: tuple[str, ...] = ()
    intent_bands: tuple[str, ...] = ()
    churn_bands: tuple[str, ...] = ()
    scores: Mapping[str, float] = NO_CHANCES
    numbers: F64 | None = None
    seen: Records | None = None
    as_of: int = 0


NOBODY = KnownUser()
