"""Scenery: what a ranker is told of the device and the page an answer is for.

Which of the few known ones it is, a column each, and how much more than elsewhere each candidate
is taken there. A scene that nobody named is missing, not none of the known. Knows nothing of
requests or of how the numbers were learned.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from models.recommend.candidates import Scene
from models.recommend.contexts import device_class
from models.recommend.member import Floats, Ints, frozen

KINDS: Final = ("device", "page")
LONGEST: Final = 64
"""A longer name of a page is none that is known."""


@dataclass(frozen=True, eq=False)
class Scenery:
    """What is known of scenes, for the ranker's last columns.

    names: of each of KINDS the known ones, devices as `contexts.device_class` calls them. lifts:
    float32[names, n] of each kind, the logarithm of how much more an item is taken there than
    its own rate and the scene's rate let expect; 0 where nothing is known.
    """

    names: tuple[tuple[str, ...], tuple[str, ...]]
    lifts: tuple[Floats, Floats]

    def __post_init__(self) -> None:
        for names, lifts in zip(self.names, self.lifts, strict=True):
            if lifts.ndim != 2 or len(lifts) != len(names) or len(set(names)) != len(names):
                raise ValueError("lifts are a row for each known device and page")

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of every column, in order."""
        return tuple(
            column
            for kind, names in zip(KINDS, self.names, strict=True)
            for column in (f"{kind}.lift", *(f"{kind}={name}" for name in names))
        )

    def tell(self, chosen: Ints, scene: Scene) -> np.ndarray:
        """Answer float64[c, columns] for int32[c] candidates: not-a-number for what is not said.

        Columns are contiguous, as those of `candidates.features` are.
        """
        told = np.empty((len(KINDS) + sum(map(len, self.names)), chosen.shape[0]))
        column = 0
        said = (device_class(scene.device), scene.page[: LONGEST + 1])
        for name, names, lifts in zip(said, self.names, self.lifts, strict=True):
            end = column + 1 + len(names)
            if not name:
                told[column:end] = np.nan
            else:
                told[column:end] = 0.0
                if name in names:
                    at = names.index(name)
                    told[column + 1 + at] = 1.0
                    known = chosen < lifts.shape[1]
                    told[column, known] = lifts[at, chosen[known]]
            column = end
        return told.T

    def without_lifts(self) -> Self:
        """Answer the same names where nothing is known of any item, for another numbering."""
        none = tuple(np.zeros((len(names), 0), np.float32) for names in self.names)
        return type(self)(self.names, (none[0], none[1]))

    def arrays(self) -> dict[str, np.ndarray]:
        """Answer every array by name, for a bundle."""
        return {f"{kind}_lifts": lifts for kind, lifts in zip(KINDS, self.lifts, strict=True)}

    def params(self) -> dict[str, Any]:
        """Answer what is no array, as JSON values."""
        return {f"{kind}s": list(names) for kind, names in zip(KINDS, self.names, strict=True)}

    @classmethod
    def from_parts(cls, arrays: dict[str, np.ndarray], params: dict[str, Any]) -> Self:
        """Make the scenery again; raises KeyError or ValueError for parts that do not fit."""
        devices, pages = (tuple(map(str, params[f"{kind}s"])) for kind in KINDS)
        some = [frozen(arrays[f"{kind}_lifts"], np.float32) for kind in KINDS]
        return cls((devices, pages), (some[0], some[1]))
