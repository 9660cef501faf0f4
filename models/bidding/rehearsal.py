"""A rehearsal: every kind of lesson taught once to lore that is thrown away.

Compiles what learning needs, before anybody waits: in a running worker the compiler would hold up
every bid for seconds. Knows nothing of stores.
"""

from models.bidding.feedback import Kind
from models.bidding.learned import Learned, learned_of
from models.bidding.lore import HalfLives, Lore
from models.bidding.market import BUCKETS, confidence_at, ground_of, prior_landscape
from models.bidding.memo import FEATURES, Memo
from models.bidding.teaching import teach
from models.bidding.tidings import Bought, Clicked, Impression, Lessons, Price, Tried

_PLACES = (0, *[1 + number * BUCKETS for number in range(7)])
_FEATURES = (0.5,) * FEATURES


def rehearse() -> Learned:
    """Teach one lesson of each kind; answer what came of it, for nobody to use."""
    memo = Memo(_PLACES, 1_000_000, 0.1, 0.1, _FEATURES, True, BUCKETS)
    lessons = Lessons(
        prices=[Price(memo, kind, 13.0, 13.5) for kind in Kind],
        tried=[Tried("", "", 0, _FEATURES, 0.5)],
        impressions=[Impression("", "", _FEATURES, 0.1, 1, False)],
        clicks=[Clicked("", "", _FEATURES, 0.1, 0.1, 0)],
        bought=[Bought("", 0.1)],
        heard=[("", 0)],
    )
    ground = ground_of(prior_landscape(13.8))
    lore, _ = teach(Lore(at=1), lessons, ground, taken_up=0, lives=HalfLives())
    found = learned_of(lore.faded(2, HalfLives()), ground)
    confidence_at(found.landscape, _PLACES)
    return found
