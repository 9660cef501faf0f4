"""What may be chosen about fitting uplift; every default is stated here.

Knows nothing of how a choice is carried out.
"""

from dataclasses import dataclass, field

from domain.errors import ScientistError
from training.fit.uplift.learners import LEARNERS
from training.labels import kind_flags
from training.snapshots import DEFINITIONS


@dataclass(slots=True, frozen=True)
class UpliftSettings:
    """How to fit uplift, and on what.

    table: a CSV or Parquet file of a trial, one row a person, with the columns treatment, outcome,
    propensity (the chance of contact; "" none) and user ("" none); every other column is an
    attribute unless it is in `drop`. treated, control: the words in treatment, or the answers of a
    decision, that mean contact or none; without them the usual words do. bad_outcome: outcome
    says what one does not want, such as that they left.

    campaign: without a table, the campaign whose events say who was contacted; "" means logged
    decisions of the family `decisions`. What came is looked up in the log, as for churn:
    definition, kinds, horizon_days, active_days. as_of: nothing at or after it is looked at.
    attributes: read profiles.

    learners, leaves, trees: candidates. repeats: how often the people are parted in halves to
    answer, choosing: to choose a learner. test_share: held out. value, cost: of a good outcome
    and of one contact, for the recommended action.
    """

    table: str = ""
    treatment: str = "treatment"
    outcome: str = "outcome"
    propensity: str = ""
    user: str = ""
    drop: list[str] = field(default_factory=list)
    treated: list[str] = field(default_factory=list)
    control: list[str] = field(default_factory=list)
    bad_outcome: bool = False
    campaign: str = ""
    decisions: str = "contact"
    definition: str = "inactivity"
    kinds: list[str] = field(default_factory=lambda: ["purchase"])
    horizon_days: float = 28.0
    active_days: float = 365.0
    as_of: str = ""
    attributes: bool = True
    learners: list[str] = field(default_factory=lambda: list(LEARNERS))
    leaves: list[int] = field(default_factory=lambda: [4, 8])
    trees: list[int] = field(default_factory=lambda: [50, 100, 200, 400])
    choosing: int = 2
    repeats: int = 8
    test_share: float = 0.5
    value: float = 1.0
    cost: float = 0.0
    rounds: int = 500
    seed: int = 20
    threads: int = 1

    def __post_init__(self) -> None:
        if not self.learners or not set(self.learners) <= LEARNERS.keys():
            raise ScientistError("learners are some of " + ", ".join(LEARNERS))
        if not self.leaves or not all(2 <= leaves <= 8 for leaves in self.leaves):
            raise ScientistError("leaves are 2 to 8: larger trees would be slow to serve")
        if not self.trees or not all(1 <= trees <= 2000 for trees in self.trees):
            raise ScientistError("trees are 1 to 2000")
        if self.choosing < 1 or self.repeats < 2:
            raise ScientistError("choosing is 1 or more, repeats are 2 or more")
        if not 0.1 <= self.test_share <= 0.9:
            raise ScientistError("test_share is 0.1 to 0.9")
        if not (0 <= self.value < float("inf") and 0 <= self.cost < float("inf")):
            raise ScientistError("value and cost are finite amounts of 0 or more")
        if self.definition not in DEFINITIONS:
            raise ScientistError("definition is one of " + ", ".join(DEFINITIONS))
        if not self.horizon_days > 0 or not self.active_days > 0:
            raise ScientistError("horizon_days and active_days are above 0")
        kind_flags(self.kinds)
