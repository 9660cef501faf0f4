import numpy as np

from domain.events import KINDS, Kind
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk, popularity
from models.recommend.model import RecommendModel
from tests.golden.shop import COUNTS, LEARNED, NOW, shop_desk, shop_model


def test_listens_to_the_kinds_the_model_weighs():
    weights = shop_desk(shop_model()).kind_weights
    kinds = {Kind(kind) for kind in np.flatnonzero(weights)}
    assert kinds == {Kind.click, Kind.add_to_cart, Kind.purchase}


def test_popular_is_the_models_own_count():
    popular = shop_desk(shop_model()).popular
    assert popular is not None
    wanted = sorted(range(len(LEARNED)), key=lambda row: -COUNTS[row])
    assert np.argsort(-popular).tolist() == wanted


def test_a_model_without_popularity_says_what_it_says_to_nobody():
    model = shop_model()
    bare = RecommendModel(
        model.items, model.hashes, ("graph",), model.scorers[1:], model.weights[1:],
        np.ones(KINDS, np.float32),
    )  # fmt: skip
    assert popularity(bare).tolist() == [0.0] * len(LEARNED)


def test_trends_bring_in_items_of_the_log_where_nobody_keeps_a_catalogue():
    model = shop_model()
    desk = Desk(Catalogue(model.items, model.hashes), model)
    desk.catalogue.delete("tea")
    desk.show_trends(["met", "milk", "tea"], np.array([3.0, 1.0, 9.0]), np.array([1.0, 2.0, 3.0]))
    assert desk.trending is not None
    assert desk.trending[desk.catalogue.index("met")] == 3
    assert desk.trending[desk.catalogue.index("milk")] == 1
    live = desk.catalogue.live(NOW)
    assert live[desk.catalogue.index("met")]
    assert not live[desk.catalogue.index("tea")]
    assert desk.popular is not None
    assert desk.popular.size == len(LEARNED)


def test_an_invented_name_is_nowhere_where_a_catalogue_is_kept():
    for desk in (shop_desk(shop_model()), shop_desk()):
        size = desk.catalogue.size
        desk.show_trends(["invented", "milk"], np.array([9.0, 1.0]), np.array([9.0, 1.0]))
        assert "invented" not in desk.catalogue
        assert desk.catalogue.size == size
        assert desk.trending is not None
        assert desk.trending.sum() == 1


def test_what_a_model_learned_but_nobody_lists_does_not_trend():
    desk = shop_desk(shop_model())
    bare = next(name for name in LEARNED if not desk.catalogue.listed[desk.catalogue.index(name)])
    desk.show_trends([bare, "milk"], np.array([9.0, 1.0]), np.array([9.0, 1.0]))
    assert desk.trending is not None
    assert desk.trending[desk.catalogue.index(bare)] == 0


def test_deleted_items_do_not_come_back_by_trending():
    desk = shop_desk()
    desk.catalogue.delete("never-met")
    desk.show_trends(["never-met", "milk"], np.array([2.0, 1.0]), np.array([2.0, 1.0]))
    assert "never-met" not in desk.catalogue
    assert desk.catalogue.deleted() == ["never-met"]
    assert desk.trending is not None
    assert desk.trending.sum() == 1


def test_without_a_model_trends_say_what_is_popular():
    desk = shop_desk()
    assert desk.popular is None
    desk.show_trends(["milk", "tea"], np.array([1.0, 2.0]), np.array([8.0, 4.0]))
    assert desk.popular is not None
    assert desk.popular[desk.catalogue.index("milk")] == 8


def test_what_goes_together_is_told_by_what_people_do_here():
    desk = shop_desk(shop_model())
    assert desk.beside == "Bought together with"
    for clicks, purchases, did in ((0, 0, "Chosen"), (4, 0, "Viewed"), (4, 1, "Bought")):
        deeds = np.array([[clicks, 0.0], [0.0, purchases]])
        desk.show_trends(["milk", "tea"], np.ones(2), np.ones(2), deeds)
        assert desk.beside == f"{did} together with"
