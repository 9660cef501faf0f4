"""What may be chosen about fitting bidding; every default is stated here.

Knows nothing of how a choice is carried out.
"""

from dataclasses import dataclass

from domain.errors import ScientistError
from domain.events import parse_at
from models.bidding.laws import LAWS


@dataclass(slots=True, frozen=True)
class BiddingSettings:
    """How to fit bidding.

    as_of: ISO 8601 or epoch; nothing at or after it is looked at, "" is the end of the log.
    test_share, validation_share: of the impressions, the latest and those before them.
    click_days: how long a click counts after its impression; conversion_days: a conversion
    after its click. silent_hours: a bid without a word for so long was lost. leaves, most_trees,
    rate: of the trees. law: of prices, and price_buckets: hashed words of a field that prices
    tell apart. least_clicks: below it nothing is learned; least_conversions: below it
    conversions have one rate for all.
    """

    as_of: str = ""
    test_share: float = 0.2
    validation_share: float = 0.2
    click_days: float = 1.0
    conversion_days: float = 14.0
    silent_hours: float = 1.0
    leaves: int = 8
    most_trees: int = 80
    rate: float = 0.08
    blind_share: float = 0.15
    law: str = "logistic"
    price_buckets: int = 16
    least_clicks: int = 50
    least_conversions: int = 30
    seed: int = 20
    threads: int = 1

    def __post_init__(self) -> None:
        shares = (self.test_share, self.validation_share)
        if not all(0 < share < 0.5 for share in shares) or sum(shares) > 0.8:
            raise ScientistError("test_share and validation_share leave rows to learn from")
        if not (self.click_days > 0 and self.conversion_days > 0 and self.silent_hours >= 0):
            raise ScientistError("click_days and conversion_days are above 0")
        if not 2 <= self.leaves <= 8 or not 1 <= self.most_trees <= 1000 or not 0 < self.rate <= 1:
            raise ScientistError("leaves are 2 to 8, most_trees 1 to 1000, the rate 0 to 1")
        if not 0 <= self.blind_share <= 0.9:
            raise ScientistError("blind_share is 0 to 0.9")
        if self.law not in LAWS or not 1 <= self.price_buckets <= 64:
            raise ScientistError("law is one of " + ", ".join(LAWS) + "; price_buckets are 1 to 64")
        if self.least_clicks < 2 or self.least_conversions < 2:
            raise ScientistError("least_clicks and least_conversions are 2 or more")
        self.until(0)

    def until(self, last: int) -> int:
        """Answer the time (ms UTC) from which on nothing is looked at; `last`: of the log."""
        return parse_at(self.as_of, last) if self.as_of else last + 1
