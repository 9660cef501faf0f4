"""What may be chosen about fitting churn; every default is stated here.

Knows nothing of how a choice is carried out.
"""

from dataclasses import dataclass, field
from typing import Any

from domain.errors import ScientistError
from domain.events import parse_at
from training.snapshots import Definition


@dataclass(slots=True, frozen=True)
class ChurnSettings:
    """How to fit churn.

    definition, kinds, history_days, lead_days, horizon_days, active_days: see
    training.snapshots.Definition. as_of: ISO 8601 or epoch; nothing at or after it is looked
    at, "" is the end of the log. step_days: between training cut-offs; max_cutoffs: how many
    at most (the step then widens). test_cutoffs: rolling test cut-offs, at least 3. label_set:
    name of an imported label set, for contractual churn without cancel events; left_labels:
    which of its labels say that they left. attributes: read profiles. allowed_leaks: features
    that may tell labels almost by themselves. btyd: models whose figures are features. repute:
    let tuning ask what others' orders say of the items somebody bought. hazard: learn survival
    too. leaves, trees: candidates for the trees. folds: for tuning. rounds: of
    the bootstrap.
    """

    definition: str = "inactivity"
    kinds: list[str] = field(default_factory=lambda: ["purchase"])
    history_days: float = 0.0
    lead_days: float = 0.0
    horizon_days: float = 90.0
    active_days: float = 365.0
    as_of: str = ""
    step_days: float = 7.0
    max_cutoffs: int = 24
    test_cutoffs: int = 3
    label_set: str = ""
    left_labels: list[str] = field(default_factory=list)
    attributes: bool = True
    allowed_leaks: list[str] = field(default_factory=list)
    btyd: list[str] = field(default_factory=lambda: ["bgnbd"])
    repute: bool = True
    hazard: bool = True
    leaves: list[int] = field(default_factory=lambda: [4, 8])
    trees: list[int] = field(default_factory=lambda: [100, 200, 400])
    penalties: list[float] = field(default_factory=lambda: [0.003, 0.02, 0.1])
    folds: int = 3
    rounds: int = 300
    seed: int = 20
    threads: int = 1

    def __post_init__(self) -> None:
        self.meaning()
        if self.test_cutoffs < 3:
            raise ScientistError("test_cutoffs is 3 or more: one cut-off is one season")
        if not self.step_days > 0 or self.max_cutoffs < 2 or self.folds < 2:
            raise ScientistError("step_days is above 0, max_cutoffs and folds are 2 or more")
        if not self.leaves or not all(2 <= leaves <= 64 for leaves in self.leaves):
            raise ScientistError("leaves are 2 to 64")
        if not self.trees or not all(1 <= trees <= 5000 for trees in self.trees):
            raise ScientistError("trees are 1 to 5000")
        if not self.penalties or not all(penalty > 0 for penalty in self.penalties):
            raise ScientistError("penalties are above 0")

    def meaning(self) -> Definition:
        """Answer what churn is taken to mean."""
        return Definition(
            self.definition,
            tuple(self.kinds),
            float(self.history_days),
            float(self.lead_days),
            float(self.horizon_days),
            float(self.active_days),
        )

    def until(self, end: int, now_ms: int) -> int:
        """Answer the time (ms UTC) before which everything is known, at most `end` + 1.

        Raises ScientistError when as_of cannot be read or lies in the future.
        """
        if not self.as_of:
            return min(end + 1, now_ms)
        at = _parsed(self.as_of, now_ms)
        if at > now_ms:
            raise ScientistError("as_of lies in the future: nobody knows yet what became of them")
        return at


def _parsed(text: Any, now_ms: int) -> int:
    from domain.errors import BadField

    try:
        return parse_at(text, now_ms)
    except BadField as error:
        raise ScientistError(f"as_of is {error.message}") from error
