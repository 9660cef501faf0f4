"""What a recommender learns from and is asked about: interactions, and cases cut from them.

A case is a history that ends before its targets begin. Cuts are by time, or by position for
logs whose times mean nothing across users. Knows nothing of models.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from feature_store.history import History

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
_FOREVER = np.iinfo(np.int64).max


class Interactions(NamedTuple):
    """The events that count, of u users over n_items items, each user's in order of time.

    offsets: int64[u + 1]; user i owns the events offsets[i]:offsets[i + 1] of every other array.
    items: int32[e]; kinds: uint8[e]; ats: int64[e], ms UTC; ordinals: int64[e], the place of
    the event among all events of the user, counted or not; weights: float32[e], by kind.
    """

    n_items: int
    offsets: I64
    items: I32
    kinds: npt.NDArray[np.uint8]
    ats: I64
    ordinals: I64
    weights: npt.NDArray[np.float32]

    @property
    def users(self) -> I64:
        """Answer whose each event is, int64[e]."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def until(self, ends: I64) -> "Interactions":
        """Keep, of each user, the events before place `ends` (int64[u], places in our arrays)."""
        keep = np.arange(len(self.items)) < np.repeat(ends, np.diff(self.offsets))
        lengths = ends - self.offsets[:-1]
        return Interactions(
            self.n_items,
            np.concatenate([[0], np.cumsum(lengths)]),
            self.items[keep],
            self.kinds[keep],
            self.ats[keep],
            self.ordinals[keep],
            self.weights[keep],
        )

    def sample_users(self, most: int, rng: np.random.Generator) -> "Interactions":
        """Keep whole users, drawn at random, with about `most` events in all; or all, if fewer."""
        if len(self.items) <= most:
            return self
        users = len(self.offsets) - 1
        chosen = rng.random(users) < most / len(self.items)
        ends = np.where(chosen, self.offsets[1:], self.offsets[:-1])
        return self.until(ends)

    def places_before(self, at: int) -> I64:
        """Answer int64[u]: the place of each user's first event at or after `at` (ms UTC)."""
        return self.offsets[:-1] + _per_user(self.ats < at, self.offsets)


@dataclass(frozen=True)
class Cases:
    """c questions: given the events starts:ends of the interactions at `as_of`, what came next?

    users, starts, ends, as_of: int64[c]. targets: int32[t], distinct items of each case between
    target_offsets (int64[c + 1]).
    """

    users: I64
    starts: I64
    ends: I64
    as_of: I64
    targets: I32
    target_offsets: I64

    def __len__(self) -> int:
        return len(self.users)

    def take(self, chosen: I64) -> "Cases":
        """Keep the chosen cases, in the order given."""
        lengths = np.diff(self.target_offsets)[chosen]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(offsets[-1]) + np.repeat(
            self.target_offsets[:-1][chosen] - offsets[:-1], lengths
        )
        return Cases(
            self.users[chosen],
            self.starts[chosen],
            self.ends[chosen],
            self.as_of[chosen],
            self.targets[places],
            offsets,
        )

    def sample(self, most: int, rng: np.random.Generator) -> "Cases":
        """Keep at most `most` cases, drawn without replacement, in their order."""
        if len(self) <= most:
            return self
        return self.take(np.sort(rng.choice(len(self), most, replace=False)))


class Split(NamedTuple):
    """What may be learned from (`known`, all before the cut) and the cases after the cut."""

    known: Interactions
    cases: Cases
    as_of: int


def _per_user(flags: npt.NDArray[np.bool_], offsets: I64) -> I64:
    counts = np.concatenate([[0], np.cumsum(flags)])
    return counts[offsets[1:]] - counts[offsets[:-1]]


class _Counted(NamedTuple):
    """Events of a log that count: their places in the records, and whose they are."""

    groups: I64
    lengths: I64
    places: I64
    ordinals: I64
    numbers: I32


def _counted(
    history: History, hashes: npt.NDArray[np.uint64], weights: npt.NDArray[np.float32]
) -> _Counted:
    """Answer the groups with such events, how many each has, and the events in their order."""
    groups = np.flatnonzero(history.spans.until == _FOREVER)
    starts, ends = history.offsets[groups], history.offsets[groups + 1]
    lengths = ends - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ordinals = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    places = ordinals + np.repeat(starts, lengths)
    kinds, wanted = history.records["kind"][places], history.records["item"][places]
    order = np.argsort(hashes)
    found = np.minimum(np.searchsorted(hashes[order], wanted), max(len(hashes) - 1, 0))
    known = hashes[order][found] == wanted if len(hashes) else np.zeros(len(wanted), bool)
    keep = known & (weights[kinds] > 0)
    counted = _per_user(keep, offsets)
    mine = counted > 0
    numbers = order[found[keep]].astype(np.int32)
    return _Counted(groups[mine], counted[mine], places[keep], ordinals[keep], numbers)


def interactions_of(history: History, hashes: npt.NDArray[np.uint64], kind_weights) -> Interactions:
    """Answer the interactions of a log with the items of the given hashes (uint64[n]).

    kind_weights: float32[KINDS]; events of kinds with weight 0 and of other items are left out.
    A session that was identified counts once, under its user.
    """
    weights = np.asarray(kind_weights, np.float32)
    found = _counted(history, hashes, weights)
    records = history.records
    kinds = records["kind"][found.places]
    return Interactions(
        len(hashes),
        np.concatenate([[0], np.cumsum(found.lengths)]),
        found.numbers,
        kinds,
        records["at"][found.places],
        found.ordinals,
        weights[kinds],
    )


def entities_of(history: History, hashes: npt.NDArray[np.uint64], kind_weights) -> tuple[str, ...]:
    """Answer the entity behind each user of `interactions_of` with the same arguments."""
    found = _counted(history, hashes, np.asarray(kind_weights, np.float32))
    return tuple(history.entities[i] for i in history.spans.entity[found.groups].tolist())


def _cases(full: Interactions, asked: tuple[I64, I64, I64, I64], cap: int, repeats: bool) -> Cases:
    """Make the case of each user asked, given as (users, ends, stops, as_of).

    The history runs up to `ends`, the targets from there up to `stops`.
    """
    users, ends, stops, as_of = asked
    # The history that serving sees is the last `cap` events of any kind before as_of.
    before = full.ordinals[np.minimum(ends, len(full.ordinals) - 1)]
    kept_users: list[int] = []
    starts: list[int] = []
    targets: list[I32] = []
    for case, (user, end, stop) in enumerate(zip(users, ends, stops, strict=True)):
        begin = full.offsets[user]
        start = begin + np.searchsorted(full.ordinals[begin:end], before[case] - cap)
        wanted = np.unique(full.items[end:stop])
        if not repeats:
            wanted = wanted[~np.isin(wanted, full.items[start:end])]
        if len(wanted) and start < end:
            kept_users.append(case)
            starts.append(int(start))
            targets.append(wanted)
    kept = np.array(kept_users, np.int64)
    flat = np.concatenate([np.zeros(0, np.int32), *targets])
    sizes = np.array([len(wanted) for wanted in targets], np.int64)
    return Cases(
        users[kept],
        np.array(starts, np.int64),
        ends[kept],
        as_of[kept],
        flat,
        np.concatenate([[0], np.cumsum(sizes)]),
    )


def time_split(
    full: Interactions, cut: int, until: int, cap: int, repeats: bool, least: int = 1
) -> Split:
    """Split at `cut` (ms UTC): events before it are known, those up to `until` are asked for.

    A user is asked about who has `least` events or more before the cut, and one after it.
    Without `repeats`, items of the user's own history are no targets.
    """
    ends, stops = full.places_before(cut), full.places_before(until)
    users = np.flatnonzero((ends - full.offsets[:-1] >= max(least, 1)) & (stops > ends))
    as_of = np.full(len(users), cut, np.int64)
    cases = _cases(full, (users, ends[users], stops[users], as_of), cap, repeats)
    return Split(full.until(ends), cases, cut)


def leave_one_out(full: Interactions, back: int, cap: int, repeats: bool) -> Split:
    """Ask for each user's last event (`back` 1) or the one before (`back` 2), given all before.

    Users with fewer than back + 1 events are not asked about; all they have is known. Others'
    later events are known too: this split is by position, not by time.
    """
    lengths = np.diff(full.offsets)
    users = np.flatnonzero(lengths > back)
    ends = full.offsets[1:].copy()
    ends[users] -= back
    as_of = full.ats[ends[users]]
    cases = _cases(full, (users, ends[users], ends[users] + 1, as_of), cap, repeats)
    return Split(full.until(ends), cases, int(full.ats.max(initial=0)) + 1)


def session_split(
    full: Interactions, cut: int, until: int, cap: int, gap_ms: int, repeats: bool
) -> Split:
    """Ask for every event from `cut` up to `until` (ms UTC) that is not the first of its session.

    A session ends where a user does nothing for more than `gap_ms`. The history is all the user
    did before the event asked for, earlier sessions included; what others did from the cut on
    is not known. One target a case, so `repeats` False leaves out events with an item had before.
    """
    inside = np.zeros(len(full.items), bool)
    inside[1:] = (np.diff(full.ats) <= gap_ms) & (np.diff(full.users) == 0)
    asked = np.flatnonzero(inside & (full.ats >= cut) & (full.ats < until))
    cases = _cases(full, (full.users[asked], asked, asked + 1, full.ats[asked]), cap, repeats)
    return Split(full.until(full.places_before(cut)), cases, cut)


def cut_times(full: Interactions, share: float) -> tuple[int, int, int]:
    """Answer (validation cut, test cut, end) in ms UTC: the last two shares of the log's events.

    Both windows last equally long, as long as the last `share` of the events took.
    """
    end = int(full.ats.max()) + 1
    test = int(np.quantile(full.ats, 1 - share, method="higher"))
    return 2 * test - end, test, end


def repeat_share(full: Interactions) -> float:
    """Answer which share of events is with an item that the user had before."""
    if not len(full.items):
        return 0.0
    pairs = full.users * full.n_items + full.items
    return 1.0 - len(np.unique(pairs)) / len(pairs)
