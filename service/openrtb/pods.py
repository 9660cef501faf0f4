"""Ad pods: which bids may stand beside each other in one break.

No advertisement twice in a break, no more of them and no longer than the dynamic part takes,
and nothing that the exchange wants kept apart. Knows nothing of prices.
Source: IAB Tech Lab, OpenRTB 2.6, section 3.2.7 and note 7.6; AdCOM 1.0, pod deduplication.
"""

from dataclasses import dataclass, field

from domain.opportunities import Spot
from service.openrtb.creatives import ReadyCreative

APART_BY_DOMAIN = 1
APART_BY_CATEGORY = 2
SECOND_MS = 1_000
MAX_IN_POD = 10
"""Bids for one dynamic break when the exchange does not say how many it takes."""


@dataclass(slots=True)
class _Break:
    """What was bid so far for one pod: (impression, creative) pairs, names, and time used."""

    creatives: dict[str, str] = field(default_factory=dict[str, str])
    domains: dict[str, str] = field(default_factory=dict[str, str])
    categories: dict[str, str] = field(default_factory=dict[str, str])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    lengths: dict[str, int] = field(default_factory=dict[str, int])


class PodBook:
    """The pods of one auction, and what was bid for each."""

    def __init__(self) -> None:
        self._breaks: dict[str, _Break] = {}

    def takes(self, impression: str, spot: Spot, ready: ReadyCreative) -> bool:
        """Tell whether one more bid with this creative may go out for this impression."""
        if not spot.pod:
            return True
        held = self._breaks.get(spot.pod)
        if held is None:
            return True
        dynamic = _is_dynamic(spot)
        if _clashes(held.creatives, ready.creative.creative, impression, within=dynamic):
            return False
        if APART_BY_DOMAIN in spot.pod_apart and any(
            _clashes(held.domains, name, impression, within=dynamic)
            for name in ready.creative.domains
        ):
            return False
        if APART_BY_CATEGORY in spot.pod_apart and any(
            _clashes(held.categories, name, impression, within=dynamic)
            for name in ready.creative.categories
        ):
            return False
        if not dynamic:
            return True
        if held.counts.get(impression, 0) >= (spot.pod_count or MAX_IN_POD):
            return False
        used = held.lengths.get(impression, 0) + _told_ms(ready)
        return not spot.pod_length or used <= spot.pod_length

    def note(self, impression: str, spot: Spot, ready: ReadyCreative) -> None:
        """Note that a bid with this creative goes out for this impression."""
        if not spot.pod:
            return
        held = self._breaks.setdefault(spot.pod, _Break())
        one = ready.creative
        held.creatives[one.creative] = impression
        held.domains.update(dict.fromkeys(one.domains, impression))
        held.categories.update(dict.fromkeys(one.categories, impression))
        held.counts[impression] = held.counts.get(impression, 0) + 1
        held.lengths[impression] = held.lengths.get(impression, 0) + _told_ms(ready)


def _told_ms(ready: ReadyCreative) -> int:
    """Answer a creative's length as exchanges are told it: in whole seconds, rounded up."""
    return -(-ready.creative.duration_ms // SECOND_MS) * SECOND_MS


def _is_dynamic(spot: Spot) -> bool:
    return bool(spot.pod_length) or spot.pod_count != 1


def _clashes(held: dict[str, str], name: str, impression: str, *, within: bool) -> bool:
    """Tell whether `name` was bid elsewhere in the pod, or `within` the same impression.

    Two bids for one structured slot are alternatives: at most one of them is shown.
    """
    where = held.get(name)
    return where is not None and (within or where != impression)


def most_bids(spot: Spot) -> int:
    """Answer how many ads one impression takes: more than one only in a dynamic pod."""
    if not spot.pod or not _is_dynamic(spot):
        return 1
    return spot.pod_count or MAX_IN_POD
