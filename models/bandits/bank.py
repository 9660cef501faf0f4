"""A bank: evidence about the same few arms in many places, by the places' names.

It grows as names come up and lets the least known go. Knows nothing of what arms, names or
features stand for.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from models.bandits.evidence import COUNT, Evidence, nothing

Names = tuple[str, str]


class Bank(NamedTuple):
    """Evidence by name: name number i has rows i·k … i·k + k - 1, k of them (see `rows`)."""

    names: tuple[Names, ...]
    evidence: Evidence
    rows: int

    def grown(self, wanted: Iterable[Names]) -> "Bank":
        """Answer a bank that has all these names; those it had keep their numbers."""
        known = set(self.names)
        new = [name for name in dict.fromkeys(wanted) if name not in known]
        if not new:
            return self
        more = nothing(len(new) * self.rows, self.evidence.features)
        joined = Evidence(*(np.concatenate(pair) for pair in zip(self.evidence, more, strict=True)))
        return Bank((*self.names, *new), joined, self.rows)

    def pruned(self, most: int) -> "Bank":
        """Answer the `most` names with the most outcomes."""
        if len(self.names) <= most:
            return self
        counts = self.evidence.tallies[:, COUNT].reshape(-1, self.rows).sum(axis=1)
        kept = np.sort(np.argsort(-counts, kind="stable")[:most])
        rows = (kept[:, None] * self.rows + np.arange(self.rows)).ravel()
        return Bank(tuple(self.names[i] for i in kept), self.evidence.rows(rows), self.rows)

    def writable(self) -> "Bank":
        """Answer a copy whose numbers may be written to."""
        return self._replace(evidence=Evidence(*(array.copy() for array in self.evidence)))


def empty_bank(rows: int, features: int) -> Bank:
    """Answer a bank without names, of `rows` arms a name and `features` weights an arm."""
    return Bank((), nothing(0, features), rows)
