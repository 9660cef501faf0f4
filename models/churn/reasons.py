"""Reasons: contributions of features, summed by what they mean, strongest first, in words.

They say what the score is associated with in the data it was learned from, not what would
happen if it changed. Knows nothing of how contributions are computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np
import numpy.typing as npt

from domain.scores import Direction, Reason
from models.churn.sentences import MANNERS, TEMPLATES, UNITS, UNKNOWN, Line

Floats = npt.NDArray[np.float64]

ALONE = frozenset({"attributes"})
"""Groups whose features have nothing in common: each is a reason of its own."""

REST = "rest"
"""The group of all reasons too small to be told."""


@dataclass(frozen=True, eq=False)
class Teller:
    """Turns contributions of f features into reasons; all methods are pure.

    names, groups, units: of each feature. typical: float by feature name, what is usual among
    customers, told where a sentence has no reference of its own.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    units: tuple[str, ...]
    typical: Mapping[str, float] = field(default_factory=dict)
    members: tuple[tuple[int, ...], ...] = field(init=False)
    labels: tuple[str, ...] = field(init=False)
    _order: npt.NDArray[np.int64] = field(init=False, repr=False)
    _starts: npt.NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not len(self.names) == len(self.groups) == len(self.units):
            raise ValueError("every feature has a name, a group and a unit")
        if len(set(self.names)) != len(self.names) or not self.names:
            raise ValueError("features have names of their own, and there is at least one")
        together: dict[tuple[str, int], list[int]] = {}
        for place, group in enumerate(self.groups):
            together.setdefault((group, place if group in ALONE else -1), []).append(place)
        members = tuple(map(tuple, together.values()))
        derived = {
            "members": members,
            "labels": tuple(group for group, _ in together),
            "_order": np.array([place for one in members for place in one], np.int64),
            "_starts": np.cumsum([0, *map(len, members)])[:-1],
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def grouped(self, contributions: Floats) -> Floats:
        """Answer float64[n, groups] of float64[n, f+1], whose last column, the base, is no group.

        Raises ValueError for another width.
        """
        if contributions.shape[1:] != (len(self.names) + 1,):
            raise ValueError(f"contributions of {len(self.names)} features and a base are wanted")
        return np.add.reduceat(contributions[:, self._order], self._starts, axis=1)

    def reasons(
        self,
        contributions: Floats,
        values: Floats,
        *,
        shown: Mapping[str, str] | None = None,
        most: int = 5,
    ) -> tuple[Reason, ...]:
        """Answer at most `most` reasons, strongest first, then one for all the rest, if any.

        contributions: float64[f+1] of one row, in log-odds; values: float64[f], NaN is missing.
        shown: the text of a feature by its name, for categories that are numbers here.
        The contributions of the reasons and the base add up to the row's; shares add up to 1.
        """
        sums = self.grouped(contributions[None])[0]
        return self.told(sums, contributions, values, shown=shown, most=most)

    def told(
        self,
        sums: Floats,
        contributions: Floats,
        values: Floats,
        *,
        shown: Mapping[str, str] | None = None,
        most: int = 5,
    ) -> tuple[Reason, ...]:
        """As `reasons`, with `sums` a row that `grouped` has answered, for many rows at once."""
        whole = float(np.abs(sums).sum())
        if not whole > 0:
            return ()
        order = [int(one) for one in np.argsort(-np.abs(sums), kind="stable") if sums[one] != 0]
        known = {
            name: value
            for name, value in zip(self.names, values.tolist(), strict=True)
            if isfinite(value)
        }
        found = [
            self._reason(one, float(sums[one]), whole, contributions, known, shown or {})
            for one in order[:most]
        ]
        if rest := order[most:]:
            total = float(sums[rest].sum())
            share = float(np.abs(sums[rest]).sum()) / whole
            text = f"{len(rest)} smaller influence{'s' if len(rest) > 1 else ''} together"
            found.append(Reason(REST, text, _direction(total), share, contribution=total))
        return tuple(found)

    def _reason(
        self,
        one: int,
        total: float,
        whole: float,
        contributions: Floats,
        known: Mapping[str, float],
        shown: Mapping[str, str],
    ) -> Reason:
        group = self.labels[one]
        # How loudly each feature speaks in the direction of the whole group.
        loud = {
            self.names[place]: float(contributions[place]) * (1 if total > 0 else -1)
            for place in self.members[one]
        }
        text, value, reference = self._sentence(group, loud, known, shown)
        share = abs(total) / whole
        return Reason(group, text, _direction(total), share, value, reference, total)

    def _sentence(
        self,
        group: str,
        loud: Mapping[str, float],
        known: Mapping[str, float],
        shown: Mapping[str, str],
    ) -> tuple[str, float | None, float | None]:
        lines = [line for line in TEMPLATES.get(group, ()) if _can_say(line, loud, known)]
        if lines:
            # The first of the loudest, so that ties do not change with the weather.
            line = max(lines, key=lambda line: loud[line.features[0]])
            first, second = line.features[0], line.features[1:2]
            text = line.say(known)
            if second:
                return text, known[first], known[second[0]]
            return self._with_typical(first, line.manners[0], text, known)
        loudest = max(loud, key=lambda name: loud[name])
        words = loudest.replace("_", " ")
        if loudest in shown:
            return f"{words} is {shown[loudest]}", None, None
        heard = [name for name in loud if name in known]
        if not heard:
            return UNKNOWN.get(group, f"{words} is not known"), None, None
        loudest = max(heard, key=lambda name: loud[name])
        manner = UNITS.get(self.units[self.names.index(loudest)], "number")
        text = f"{loudest.replace('_', ' ')} is {MANNERS[manner](known[loudest])}"
        return self._with_typical(loudest, manner, text, known)

    def _with_typical(
        self, name: str, manner: str, text: str, known: Mapping[str, float]
    ) -> tuple[str, float | None, float | None]:
        usual = self.typical.get(name)
        if usual is None or not isfinite(usual) or manner in ("than", "level"):
            return text, known[name], None
        return f"{text}; {MANNERS[manner](usual)} is usual", known[name], float(usual)


def _can_say(line: Line, loud: Mapping[str, float], known: Mapping[str, float]) -> bool:
    """Tell whether a line is about this group and all its numbers are known."""
    return line.features[0] in loud and all(feature in known for feature in line.features)


def _direction(contribution: float) -> Direction:
    return Direction.raises if contribution > 0 else Direction.lowers


def teller_of(
    features: Sequence[tuple[str, str, str]], typical: Mapping[str, float] | None = None
) -> Teller:
    """Answer a teller for features given as (name, group, unit)."""
    names, groups, units = zip(*features, strict=True)
    return Teller(tuple(names), tuple(groups), tuple(units), dict(typical or {}))
