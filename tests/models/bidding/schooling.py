"""What tests of learning share: a token, a memo, lessons in numbers."""

import math

from domain.notices import Token
from models.bidding.landscape import places_of
from models.bidding.market import BUCKETS, ground_of, prior_landscape
from models.bidding.memo import Memo
from models.bidding.tidings import Told

NOW = 1_760_000_000_000
PLACES = tuple(places_of({"exchange": "north", "site": "a.example"}, BUCKETS).tolist())
FEATURES = (0.5, 0.0, 1.0)
MEMO = Memo(PLACES, 2_000_000, 0.01, 0.1, FEATURES, True, BUCKETS)
BASE = prior_landscape(math.log(1e6))
GROUND = ground_of(BASE)


def token(**fields):
    """Make a token of a bid at 1.00 for 1,000 in a second-price auction."""
    made = Token(
        "b1", "c1", "l1", "cr", "north", 1, 1, 1_000, 1_000_000, 1_000_000, "USD", NOW + 900_000,
        "p/1", 3, 0.5,
    )  # fmt: skip
    return made._replace(**fields)


def told(word, price=None, to_win=None, reason=0, *, bid=1_000_000, memo=MEMO, **more):
    """Make a notice of such a bid; `more` names fields of the token, or of what was told."""
    own = {name: more.pop(name) for name in ("scale", "spent") if name in more}
    made = Told(word, token(price=bid, **more), memo, price, to_win, reason, 1.0, 0)
    return made._replace(**own)
