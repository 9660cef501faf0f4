"""Everything that is told of ranked lists: one contender leads, the others are compared with.

The same code speaks for a fit's test split, the benchmark and lists that came from elsewhere.
Knows nothing of models: lists, cases and the log are all it sees.

  hr, recall, ndcg, mrr _at_ 5, 10, 20    of the lead
  coverage_at_k, gini_at_10, novelty_at_10   what its lists are like
  repeat_*, explore_*                     targets the user had before, and the others, apart
  short_*, rare_*                         users with few events, items with few events, apart
  <name>_*_at_10                          every other contender
  best_member_ndcg_at_10, over_best_member, over_popularity   the lead against them
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from models.bundle import Metric
from training.evaluate.novelty import gini, novelty, self_information
from training.metrics import CUTS, coverage_interval, per_case, resampled, with_intervals
from training.splits import Cases, Interactions

Lists = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Values = dict[str, npt.NDArray[np.float64]]
SHORT, RARE = 5, 5
"""A user is cold with fewer events in the history, an item with fewer events known."""

_OTHERS = ("hr_at_10", "recall_at_10", "ndcg_at_10", "mrr_at_10")
POPULARITY = "popularity"


class Report(NamedTuple):
    """What was found. metrics: name → value with its 95 % interval.

    cases: name → float64[c] of the lead, for paired comparisons on the same cases.
    members: the same of every other contender.
    """

    metrics: dict[str, Metric]
    cases: Values
    members: dict[str, Values]


def had_before(full: Interactions, cases: Cases) -> Flags:
    """Answer bool[t]: whether each target is an item of its case's own history."""
    out = np.zeros(len(cases.targets), bool)
    for case in range(len(cases)):
        mine = slice(cases.target_offsets[case], cases.target_offsets[case + 1])
        out[mine] = np.isin(cases.targets[mine], full.items[cases.starts[case] : cases.ends[case]])
    return out


def of_some(lists: Lists, cases: Cases, chosen: Flags) -> Values:
    """Answer recall and NDCG at 10 and 20 with only the chosen targets wanted; NaN without any."""
    owners = np.repeat(np.arange(len(cases)), np.diff(cases.target_offsets))[chosen]
    sizes = np.bincount(owners, minlength=len(cases))
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    found = per_case(lists, cases.targets[chosen], offsets, (10, 20))
    wanted = [name for name in found if name.startswith(("recall", "ndcg"))]
    return {name: np.where(sizes > 0, found[name], np.nan) for name in wanted}


def _apart(lists: Lists, full: Interactions, cases: Cases, known: Interactions) -> Values:
    """Answer the parts of the lead's figures: repeats and the rest, cold users, cold items."""
    events = np.bincount(known.items, minlength=known.n_items)
    # A target that nobody knows (numbered below 0) is as rare as can be.
    rare = np.where(cases.targets >= 0, events[np.maximum(cases.targets, 0)], 0) < RARE
    again = had_before(full, cases)
    short = np.repeat(cases.ends - cases.starts < SHORT, np.diff(cases.target_offsets))
    parts = {"repeat": again, "explore": ~again, "short": short, "rare": rare}
    return {
        f"{part}_{name}": values
        for part, chosen in parts.items()
        # Where a part is nobody's or everybody's, it says nothing of its own.
        if chosen.any() and not chosen.all()
        for name, values in of_some(lists, cases, chosen).items()
    }


def over(
    ours: npt.NDArray[np.float64], theirs: npt.NDArray[np.float64], means: npt.NDArray[np.float64]
) -> Metric:
    """Answer by which share of `theirs` ours is more, with its paired bootstrap interval.

    means: float64[rounds, 2], the means of both on the same resamples.
    """
    value = ours.mean() / theirs.mean() - 1 if theirs.mean() > 0 else 0.0
    shares = means[:, 0] / np.maximum(means[:, 1], 1e-12) - 1
    low, high = np.percentile(shares, [2.5, 97.5]) if theirs.mean() > 0 else (0.0, 0.0)
    return Metric(float(value), float(low), float(high))


def _against(
    lead: Values, others: dict[str, Values], owners: npt.NDArray[np.int64], seed: int, rounds: int
) -> dict[str, Metric]:
    out: dict[str, Metric] = {}
    if not others or not len(owners):
        return out
    name = "ndcg_at_10"
    best = max(others, key=lambda other: float(others[other][name].mean()))
    rivals = {"best_member": best} | ({POPULARITY: POPULARITY} if POPULARITY in others else {})
    for word, rival in rivals.items():
        both = np.stack([lead[name], others[rival][name]], axis=1)
        means = resampled(both, owners, np.random.default_rng(seed), rounds)
        out[f"over_{word}"] = over(both[:, 0], both[:, 1], means)
        if word == "best_member":
            low, high = np.percentile(means[:, 1], [2.5, 97.5])
            out[f"best_member_{name}"] = Metric(float(both[:, 1].mean()), float(low), float(high))
    return out


def report(
    lists: Mapping[str, Lists],
    full: Interactions,
    cases: Cases,
    known: Interactions,
    *,
    seed: int = 20,
    rounds: int = 1000,
) -> Report:
    """Answer all that can be told of int32[c, k] lists by contender; the first one leads.

    k must reach 20; -1 is an empty place, and a case without a list scores 0. full: what the
    cases' histories are places of. known: what was learned from. Cases of one user are drawn
    together in every resample.
    """
    lead, *rest = lists
    found = {
        name: per_case(one, cases.targets, cases.target_offsets) for name, one in lists.items()
    }
    others = {name: {key: found[name][key] for key in _OTHERS} for name in rest}
    values: Values = dict(found[lead])
    values["novelty_at_10"] = novelty(lists[lead], 10, self_information(known))
    values |= _apart(lists[lead], full, cases, known)
    flat = {f"{name}_{key}": row for name, one in others.items() for key, row in one.items()}
    rng = np.random.default_rng(seed)
    metrics = with_intervals(values | flat, rng, rounds, cases.users)
    for k in CUTS:
        metrics[f"coverage_at_{k}"] = coverage_interval(lists[lead], k, full.n_items)
    share = gini(lists[lead], 10, full.n_items)
    metrics["gini_at_10"] = Metric(share, share, share)
    metrics |= _against(found[lead], others, cases.users, seed, rounds)
    return Report(metrics, found[lead], others)
