"""Reasons: contributions of features, summed by what they mean, strongest first, in words.

They say what the score is associated with in the data it was learned from, not what would
happen if it changed. Knows nothing of how contributions are computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.scores import Direction, Reason
from models.churn.attributes import PREFIX
from models.churn.sentences import MANNERS, TEMPLATES, UNITS, UNKNOWN, Line

Floats = npt.NDArray[np.float64]

ALONE = frozenset({"attributes"})
"""Groups whose features have nothing in common: each is a reason of its own."""

REST = "rest"
"""The group of all reasons too small to be told."""


class Telling(NamedTuple):
    """A template and the places of its features."""

    line: Line
    places: tuple[int, ...]


class Pick(NamedTuple):
    """What is said of a group: the number of its template and the numbers in it, at most two.

    Without a template whose numbers are all known, `line` is -1 less the place of the loudest
    feature, and `numbers` its value, NaN when nothing of the group is known.
    """

    line: int
    numbers: tuple[float, ...]


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
    lines: tuple[tuple[Telling, ...], ...] = field(init=False, repr=False)

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
            "lines": tuple(
                _tellings(group, self.names, own)
                for (group, _), own in zip(together, members, strict=True)
            ),
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
        # Plain numbers from here on: a dozen of them are quicker read one by one than as arrays.
        totals, parts, known = sums.tolist(), contributions.tolist(), values.tolist()
        whole = sum(map(abs, totals))
        if not whole > 0:
            return ()
        order = sorted(range(len(totals)), key=lambda one: -abs(totals[one]))
        order = [one for one in order if totals[one] != 0]
        found: list[Reason] = []
        for one in order[:most]:
            total = totals[one]
            pick = self.pick(one, parts, known, 1 if total > 0 else -1)
            said = self.say(one, pick, shown)
            direction, share = _direction(total), abs(total) / whole
            found.append(Reason(self.labels[one], said[0], direction, share, *said[1:], total))
        if rest := [totals[one] for one in order[most:]]:
            total, share = sum(rest), sum(map(abs, rest)) / whole
            text = f"{len(rest)} smaller influence{'s' if len(rest) > 1 else ''} together"
            found.append(Reason(REST, text, _direction(total), share, contribution=total))
        return tuple(found)

    def pick(self, one: int, parts: Sequence[float], known: Sequence[float], sign: int) -> Pick:
        """Answer what is said of group `one`: parts, known are contributions and values of all
        features, sign the direction of the whole group. See `models.churn.picks` for many rows.
        """
        best = -1
        lines = self.lines[one]
        for place, told in enumerate(lines):
            # Only a louder one displaces an earlier, so that ties keep the templates' order.
            louder = best < 0 or parts[told.places[0]] * sign > parts[lines[best].places[0]] * sign
            if louder and all(isfinite(known[feature]) for feature in told.places):
                best = place
        if best >= 0:
            return Pick(best, tuple(known[feature] for feature in lines[best].places))
        members = self.members[one]
        heard = [place for place in members if isfinite(known[place])] or members
        loudest = max(heard, key=lambda place: parts[place] * sign)
        return Pick(-1 - loudest, (known[loudest],))

    def say(
        self, one: int, pick: Pick, shown: Mapping[str, str] | None = None
    ) -> tuple[str, float | None, float | None]:
        """Answer the text, value and reference of what was picked for group `one`."""
        value = pick.numbers[0]
        if pick.line >= 0:
            told = self.lines[one][pick.line]
            text = told.line.say(pick.numbers)
            if len(pick.numbers) > 1:
                return text, value, pick.numbers[1]
            return self._with_typical(told.places[0], told.line.manners[0], text, value)
        loudest = -1 - pick.line
        name = self.names[loudest]
        # A category is a column of its own: attribute.plan=gold.
        own, _, category = name.removeprefix(PREFIX).partition("=")
        words = own.replace("_", " ")
        if shown and name in shown:
            return f"{words} is {shown[name]}", None, None
        if not isfinite(value):
            return UNKNOWN.get(self.labels[one], f"{words} is not known"), None, None
        if category:
            return f"{words} is {category if value else 'not ' + category}", None, None
        manner = UNITS.get(self.units[loudest], "number")
        return self._with_typical(loudest, manner, f"{words} is {MANNERS[manner](value)}", value)

    def _with_typical(
        self, place: int, manner: str, text: str, value: float
    ) -> tuple[str, float | None, float | None]:
        usual = self.typical.get(self.names[place])
        if usual is None or not isfinite(usual) or manner in ("than", "level"):
            return text, value, None
        return f"{text}; {MANNERS[manner](usual)} is usual", value, float(usual)


def _tellings(group: str, names: tuple[str, ...], members: tuple[int, ...]) -> tuple[Telling, ...]:
    """Answer the templates of a group that are about these members and whose numbers exist."""
    places = {name: place for place, name in enumerate(names)}
    return tuple(
        Telling(line, tuple(places[feature] for feature in line.features))
        for line in TEMPLATES.get(group, ())
        if all(feature in places for feature in line.features)
        and places[line.features[0]] in members
    )


def _direction(contribution: float) -> Direction:
    return Direction.raises if contribution > 0 else Direction.lowers


def teller_of(
    features: Sequence[tuple[str, str, str]], typical: Mapping[str, float] | None = None
) -> Teller:
    """Answer a teller for features given as (name, group, unit)."""
    names, groups, units = zip(*features, strict=True)
    return Teller(tuple(names), tuple(groups), tuple(units), dict(typical or {}))
