"""After a rehearsal nothing is left to compile when the first real lessons come."""

from models.bandits.sites import absorb
from models.bidding.feedback import Kind, summed
from models.bidding.learned import learned_of
from models.bidding.lore import HalfLives, Lore
from models.bidding.lore_format import pack_lore, read_lore
from models.bidding.market import _variance_at, confidence_at
from models.bidding.rehearsal import rehearse
from models.bidding.teaching import teach
from models.bidding.tidings import Clicked, Impression, Lessons, Price
from tests.models.bidding.schooling import FEATURES, GROUND, MEMO, NOW

KERNELS = (absorb, summed, _variance_at)


def test_every_lesson_is_taught_once():
    found = rehearse()
    assert found.notices > 3
    assert list(found.multipliers) == [("", "")]
    assert list(found.arms) == [("", "")]
    assert found.factors[""] != (1.0, 1.0)


def test_the_first_real_lessons_find_everything_compiled():
    rehearse()
    before = [len(kernel.signatures) for kernel in KERNELS]
    assert min(before) >= 1
    lessons = Lessons(
        prices=[Price(MEMO, kind, 13.0, 13.2) for kind in Kind] * 5,
        impressions=[Impression("c1", "cr", FEATURES, 0.1, 1, False)] * 5,
        clicks=[Clicked("c1", "cr", FEATURES, 0.1, 0.1, 0)],
    )
    lore = Lore(at=NOW)
    for _ in range(2):
        lore = teach(lore, lessons, GROUND, taken_up=0, lives=HalfLives())[0]
        lore = read_lore(pack_lore(lore))
    confidence_at(learned_of(lore, GROUND).landscape, MEMO.places)
    assert [len(kernel.signatures) for kernel in KERNELS] == before
