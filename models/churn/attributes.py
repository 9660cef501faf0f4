"""Attributes of profiles as numbers: amounts as they are, words as one column each.

A category unseen at training answers 0 in every column of its attribute; what is no finite
number is missing. Knows nothing of where attributes come from.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
PREFIX = "attribute."


def number(value: object) -> float:
    """Answer a finite number, also one written as text; NaN for anything else."""
    if isinstance(value, bool):
        return float(value)
    if not isinstance(value, int | float | str):
        return math.nan
    try:
        found = float(value)
    except ValueError:
        return math.nan
    return found if math.isfinite(found) else math.nan


def word(value: object) -> str | None:
    """Answer a value as a category; None when there is none."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Attributes:
    """Which attributes are read: `numbers` as they are, `words` with the categories known."""

    numbers: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, ...]] | None = None

    def names(self) -> tuple[str, ...]:
        """Answer the names of the columns: `attribute.age`, `attribute.plan=gold`."""
        categories = (
            f"{PREFIX}{name}={known}" for name, kinds in self._words.items() for known in kinds
        )
        return (*(PREFIX + name for name in self.numbers), *categories)

    def groups(self) -> tuple[str, ...]:
        """Answer whose columns they are: `attribute.plan` for each of its categories."""
        of_words = (PREFIX + name for name, kinds in self._words.items() for _ in kinds)
        return (*(PREFIX + name for name in self.numbers), *of_words)

    @property
    def _words(self) -> Mapping[str, tuple[str, ...]]:
        return self.words or {}

    def encode(self, people: Sequence[Mapping[str, Any]]) -> F64:
        """Answer float64[n, columns]; an attribute that someone lacks is NaN in its columns."""
        out = np.empty((len(people), len(self.names())))
        for row, person in enumerate(people):
            out[row] = self._one(person)
        return out

    def _one(self, person: Mapping[str, Any]) -> list[float]:
        values = [number(person.get(name)) for name in self.numbers]
        for name, kinds in self._words.items():
            mine = word(person.get(name))
            values += [math.nan if mine is None else float(mine == known) for known in kinds]
        return values

    def params(self) -> dict[str, Any]:
        """Answer everything as JSON values."""
        words = {name: list(kinds) for name, kinds in self._words.items()}
        return {"numbers": list(self.numbers), "words": words}

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "Attributes":
        """Make them again from what `params` answered."""
        words = {name: tuple(kinds) for name, kinds in params["words"].items()}
        return cls(tuple(params["numbers"]), words)
