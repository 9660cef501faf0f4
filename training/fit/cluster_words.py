"""Clusters in words, and as conditions: what sets each apart, and the short rule that finds it.

A rule is grown one comparison at a time, each the one that raises F1 most, over round numbers,
and is judged as segments are. Knows nothing of how clusters were found.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.conditions import (
    SIGNS,
    Compare,
    Condition,
    Vocabulary,
    all_of,
    judge,
    text_of,
)
from training.fit.clusters import F64, Clustering

MOST_TESTS = 3
MOST_TOLD = 3
FAITHFUL = 0.6
"""F1 from which on a rule stands for its cluster and is offered to be saved."""
_GAIN = 0.01
_CUTS = np.linspace(0.05, 0.95, 19)
_CLEAR = 0.3
"""Deviations from the mean below which a difference is not worth a word."""


class Difference(NamedTuple):
    """How a cluster differs in one column: medians of those known (means where medians do
    not show it), and deviations apart."""

    name: str
    own: float
    all: float
    apart: float
    average: bool = False


class Rule(NamedTuple):
    """A condition that stands for a cluster. precision: share of those it finds who are in the
    cluster; recall: share of the cluster that it finds."""

    condition: Condition
    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0


class Described(NamedTuple):
    """One cluster: place by size, users, share, words, and a rule where a faithful one exists."""

    number: int
    users: int
    share: float
    differences: tuple[Difference, ...]
    words: str
    rule: Rule | None


def rounded(value: float) -> float:
    """Answer a number to three digits, as people would set a limit."""
    return float(f"{value:.3g}")


def _candidates(columns: Mapping[str, F64], vocabulary: Vocabulary) -> list[Compare]:
    found: list[Compare] = []
    for name, column in columns.items():
        known = column[np.isfinite(column)]
        cuts = np.unique(np.quantile(known, _CUTS)) if len(known) else ()
        for cut in dict.fromkeys(rounded(float(one)) for one in cuts):
            found += [Compare(vocabulary[name], sign, cut) for sign in (">=", "<")]
    return found


def rule_for(
    inside: npt.NDArray[np.bool_], columns: Mapping[str, F64], vocabulary: Vocabulary
) -> Rule | None:
    """Answer the short condition that comes nearest to finding just those inside, bool[n]; None
    when no comparison helps."""
    candidates = _candidates(columns, vocabulary)
    masks = [SIGNS[one.sign][0](columns[one.column.name], one.value) for one in candidates]
    chosen: list[Condition] = []
    mask = np.ones(len(inside), np.bool_)
    best = 0.0
    for _ in range(MOST_TESTS):
        scores = [_f1(inside, mask & one) for one in masks]
        place = int(np.argmax(scores)) if scores else 0
        if not scores or scores[place] < best + _GAIN:
            break
        best = scores[place]
        chosen.append(candidates[place])
        mask = mask & masks[place]
    if not chosen:
        return None
    condition = all_of(chosen)
    found = judge(condition, columns.__getitem__).yes
    hits = float((found & inside).sum())
    return Rule(
        condition, hits / max(float(found.sum()), 1.0), hits / max(float(inside.sum()), 1.0)
    )


def _f1(inside: npt.NDArray[np.bool_], found: npt.NDArray[np.bool_]) -> float:
    return 2 * float((inside & found).sum()) / max(float(inside.sum() + found.sum()), 1.0)


def differences(
    inside: npt.NDArray[np.bool_], clustering: Clustering, columns: Mapping[str, F64]
) -> tuple[Difference, ...]:
    """Answer in what those inside differ most from everybody, clearest first."""
    apart = clustering.space.x[inside].mean(axis=0)
    order = np.argsort(-np.abs(apart), kind="stable")[:MOST_TOLD]
    return tuple(
        _difference(clustering.space.names[place], inside, columns, float(apart[place]))
        for place in order
        if abs(apart[place]) >= _CLEAR
    )


def _difference(
    name: str, inside: npt.NDArray[np.bool_], columns: Mapping[str, F64], apart: float
) -> Difference:
    column = columns[name]
    known = np.isfinite(column)
    own, everybody = column[known & inside], column[known]
    if not len(own):
        return Difference(name, float("nan"), float(np.median(everybody)), apart)
    middle, usual = float(np.median(own)), float(np.median(everybody))
    # Where medians do not show on which side of everybody the cluster lies, means do.
    if (middle - usual) * apart > 0:
        return Difference(name, middle, usual, apart)
    return Difference(name, float(own.mean()), float(everybody.mean()), apart, True)


def in_words(told: Sequence[Difference], vocabulary: Vocabulary) -> str:
    """Answer one sentence: each difference with its value and everybody's."""
    if not told:
        return "like everybody"
    return "; ".join(_told(one, vocabulary[one.name].unit) for one in told)


def _told(one: Difference, unit: str) -> str:
    name = one.name.partition(".")[2].replace("_", " ")
    # Money and shares go without saying, and so does what the name says already.
    said = "" if unit in ("house currency", "share") or unit in name else f" {unit}"
    how = " on average" if one.average else ""
    shown = one.apart if one.own != one.own or one.all != one.all else one.own - one.all
    more = "higher" if shown > 0 else "lower"
    return f"{more} {name}: {_number(one.own)}{said}{how} (everybody: {_number(one.all)})"


def _number(value: float) -> str:
    return (
        "unknown" if value != value else f"{value:,.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
    )


def describe(
    clustering: Clustering, columns: Mapping[str, F64], vocabulary: Vocabulary
) -> list[Described]:
    """Answer every cluster in words, largest first. columns: those clustered by, as they are."""
    used = {name: columns[name] for name in clustering.space.names}
    found: list[Described] = []
    for number in range(clustering.k):
        inside = clustering.label == number
        told = differences(inside, clustering, used)
        rule = rule_for(inside, used, vocabulary)
        users = int(inside.sum())
        found.append(
            Described(
                number + 1, users, users / len(inside), told, in_words(told, vocabulary),
                rule if rule is not None and rule.f1 >= FAITHFUL else None,
            )
        )  # fmt: skip
    return found


def as_json(one: Described) -> dict[str, object]:
    """Answer a cluster as JSON values."""
    return {
        "cluster": one.number,
        "users": one.users,
        "share": one.share,
        "words": one.words,
        "differences": [
            {name: None if value != value else value for name, value in told._asdict().items()}
            for told in one.differences
        ],
        "where": None if one.rule is None else text_of(one.rule.condition),
        "precision": None if one.rule is None else one.rule.precision,
        "recall": None if one.rule is None else one.rule.recall,
    }
