import numpy as np
import pytest

from domain.events import Kind
from domain.slates import Fallback
from models.recommend.ask import NOBODY, Ask, Asker, Origin
from models.recommend.desk import Desk
from models.recommend.hearing import hear
from models.recommend.proposals import Case, mixed, proposals
from tests.golden.shop import NOW, asker, shop_desk, shop_model


def case_of(desk: Desk, who: Asker, item: str = "") -> Case:
    target = desk.catalogue.index(item) if item else -1
    allowed = desk.catalogue.live(NOW).copy()
    heard = hear(desk, who, NOW, allowed, False)
    return Case(desk, Ask(item=item), who, NOW, heard.rows, target, allowed, None, heard.past)


@pytest.mark.parametrize(
    ("who", "item", "order"),
    [
        (asker("bread"), "", [None, "popular", "newest"]),
        (asker("bread", origin=Origin.session), "", ["session", "popular", "newest"]),
        (asker("bread"), "coffee", [None, None, "popular", "newest"]),
        (NOBODY, "coffee", ["similar", "popular", "newest"]),
        (NOBODY, "", ["popular", "newest"]),
        (asker("honey"), "", ["similar", "popular", "newest"]),
        (asker("unheard-of"), "", ["popular", "newest"]),
        (asker("bread", kind=Kind.impression), "", ["popular", "newest"]),
    ],
)
def test_proposals_come_from_the_most_personal_to_the_last_resort(who, item, order):
    desk = shop_desk(shop_model())
    assert [one.fallback for one in proposals(case_of(desk, who, item))] == order
    desk.show_trends(["milk"], np.ones(1), np.ones(1))
    place = order.index("popular")
    order = [*order[:place], "trending", *order[place:]]
    assert [one.fallback for one in proposals(case_of(desk, who, item))] == order


def test_without_a_model_there_is_still_likeness_and_age():
    found = list(proposals(case_of(shop_desk(), asker("bread"), "jam")))
    assert [one.fallback for one in found] == [Fallback.similar, Fallback.newest]


def test_likeness_counts_up_to_double_for_what_is_wanted_most():
    alike = np.array([1, 2, -3, 4], np.float32)
    assert mixed(alike, np.array([5, 0, 9, 10], np.float32)).tolist() == [1.5, 2, 0, 8]
    assert mixed(alike, np.array([10, 0], np.float32)).tolist() == [2, 2, 0, 4]
    assert mixed(alike, np.array([3, 3, 3, 3], np.float32)).tolist() == [1, 2, 0, 4]
