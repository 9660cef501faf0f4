"""The numbers to start with: all that learning asks for, and none that it does not."""

from collections.abc import Iterator
from typing import Any

from tests.training.fit.sequence.grammar import SMALL, successors
from training.fit.sequence.fit import fit_transformer
from training.fit.sequence.settings import START


class Noted(dict[str, Any]):
    """Numbers that remember which of them were asked for."""

    def __init__(self, numbers: dict[str, Any]) -> None:
        super().__init__(numbers)
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)

    def __iter__(self) -> Iterator[str]:
        return super().__iter__()


def test_every_number_is_asked_for():
    from training.fit.facts import ItemFacts

    log, _ = successors(users=20)
    noted = Noted({**START, **SMALL, "epochs": 1})
    fit_transformer(log, noted, items=ItemFacts((None,) * 30))
    assert noted.asked == set(START)
