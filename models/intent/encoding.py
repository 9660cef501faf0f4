"""Encoding sessions for a network: rows of its table, scaled numbers, and the scaled prior.

Everything about event k is known when event k has happened. Knows nothing of networks or labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from models.intent.past import ECHOES, PRIOR
from models.intent.scaling import Scaling
from models.intent.vocabulary import STEPS, Columns, Vocabulary, learn_vocabulary

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class Encoded(NamedTuple):
    """n events of s sessions. codes: int64[n, fields], see vocabulary.Words. numbers:
    float32[n, d]. prior: float32[s, p]. known: float64[n, 3], see vocabulary.Words."""

    codes: I64
    numbers: F32
    prior: F32
    known: F64


@dataclass(frozen=True, eq=False)
class Encoding:
    """The vocabulary and the scalings of steps, echoes and prior, as training learned them."""

    vocabulary: Vocabulary
    steps: Scaling
    echoes: Scaling
    prior: Scaling

    @property
    def numbers(self) -> int:
        """How many numbers an event has."""
        return self.steps.width + self.echoes.width

    def encode(self, columns: Columns, offsets: I64, echoes: F64, prior: F64) -> Encoded:
        """Encode the sessions columns[offsets[s] : offsets[s + 1]].

        echoes: float64[n, len(ECHOES)]; prior: float64[s, len(PRIOR)].
        """
        codes, steps, known = self.vocabulary.words(columns, offsets)
        numbers = np.concatenate([self.steps.apply(steps), self.echoes.apply(echoes)], axis=1)
        return Encoded(codes, numbers, self.prior.apply(prior), known)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        parts = {name: getattr(self, name).arrays() for name in _PARTS}
        return {f"{part}-{name}": a for part, own in parts.items() for name, a in own.items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Make it of what `arrays` answered; raises KeyError and ValueError."""

        def part(name: str) -> dict[str, npt.NDArray[Any]]:
            start = name + "-"
            return {key[len(start) :]: a for key, a in arrays.items() if key.startswith(start)}

        scalings = {name: Scaling.from_arrays(part(name)) for name in _WIDTHS}
        if any(scalings[name].columns != width for name, width in _WIDTHS.items()):
            raise ValueError("an encoding of another release")
        return cls(Vocabulary.from_arrays(part("vocabulary")), **scalings)


_PARTS = ("vocabulary", "steps", "echoes", "prior")
_WIDTHS = {"steps": len(STEPS), "echoes": len(ECHOES), "prior": len(PRIOR)}


def learn_encoding(columns: Columns, offsets: I64, echoes: F64, prior: F64) -> Encoding:
    """Learn the vocabulary and the scalings of the sessions to train on."""
    vocabulary = learn_vocabulary(columns)
    steps = vocabulary.words(columns, offsets).steps
    return Encoding(
        vocabulary,
        Scaling.learned(steps, logarithmic=False),
        Scaling.learned(echoes),
        Scaling.learned(prior),
    )
