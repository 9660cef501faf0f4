"""Items that no model has learned: in step with the catalogue, and on the scale of the others."""

import numpy as np
import pytest

from models.recommend.arrivals import Arrivals
from models.recommend.catalogue import Catalogue
from tests.models.recommend.small_content import KNOWN, content_of, item_of

KINDS = np.ones(256, np.float32)


def shelf(*more) -> Arrivals:
    catalogue = Catalogue(KNOWN)
    arrivals = Arrivals(catalogue, content_of())
    for item in more:
        catalogue.put(item)
    arrivals.catch_up()
    return arrivals


def taste_of(arrivals: Arrivals, *names: str):
    rows = np.array([arrivals.catalogue.index(name) for name in names], np.int32)
    return arrivals.taste(rows, np.zeros(len(rows), np.uint8), KINDS)


def test_they_follow_what_the_catalogue_is_told():
    arrivals = shelf(item_of("kettle", "kitchen"), item_of("rake", "garden"))
    catalogue = arrivals.catalogue
    assert arrivals.count == 1
    assert arrivals.vector(6).tolist() == [1, 0]
    assert not arrivals.vector(7).any()
    catalogue.put(item_of("rake", "workshop"))
    assert arrivals.count == 1
    arrivals.catch_up()
    assert (arrivals.count, arrivals.vector(7).tolist()) == (2, [0, 1])
    catalogue.put(item_of("kettle", "workshop"))
    catalogue.delete("rake")
    arrivals.catch_up()
    assert (arrivals.count, arrivals.vector(6).tolist()) == (1, [0, 1])
    assert not arrivals.vector(7).any()


def test_they_are_taken_in_a_few_at_a_time_and_each_once():
    arrivals = shelf()
    for n in range(30):
        arrivals.catalogue.put(item_of(f"new{n}", "kitchen"))
        arrivals.catalogue.put(item_of(f"new{n}", "workshop"))
    arrivals.catch_up(10)
    assert arrivals.count == 10
    arrivals.catch_up()
    assert arrivals.count == 30
    assert arrivals.catalogue.told() == []
    assert arrivals.vectors.shape == (36, 2)


def test_items_the_catalogue_held_before_are_taken_in():
    catalogue = Catalogue(KNOWN)
    catalogue.put(item_of("kettle", "kitchen"))
    arrivals = Arrivals(catalogue, content_of())
    arrivals.catch_up()
    assert arrivals.count == 1


def test_a_new_item_as_good_as_the_best_gets_trust_of_the_way_to_the_best_total():
    arrivals = shelf(item_of("kettle", "kitchen"), item_of("lathe", "workshop"))
    total = np.array([5, 1, 0, 0, 0, 0], np.float32)
    allowed = np.ones(8, np.bool_)
    stand = arrivals.stand(total, taste_of(arrivals, "tea"), allowed)
    assert stand is not None
    assert stand.moved is None
    np.testing.assert_array_equal(stand.scores[:6], total)
    # Content finds the kettle as good as the best known item: half way from 1 to 5.
    assert stand.scores[6] == pytest.approx(3.0, abs=1e-3)
    assert stand.scores[7] == pytest.approx(-1.0, abs=1e-3)
    allowed[0] = False
    stand = arrivals.stand(total, taste_of(arrivals, "tea"), allowed)
    assert stand is not None
    assert stand.scores[6] == pytest.approx(1.0, abs=1e-3)


def test_who_has_no_vector_is_not_proposed():
    arrivals = shelf(item_of("kettle", "kitchen"), item_of("rake", "garden"))
    total = np.arange(6, dtype=np.float32)
    stand = arrivals.stand(total, taste_of(arrivals, "tea"), np.ones(8, np.bool_))
    assert stand is not None
    assert stand.scores[7] == -np.inf
    assert np.isfinite(stand.scores[6])


def test_a_history_that_content_does_not_know_leaves_everything_as_it_was():
    arrivals = shelf(item_of("kettle", "kitchen"))
    nobody = arrivals.taste(np.array([-1], np.int32), np.zeros(1, np.uint8), KINDS)
    assert not nobody.vector.any()
    assert arrivals.stand(np.ones(6, np.float32), nobody, np.ones(7, np.bool_)) is None


def test_new_items_of_the_history_count_for_their_share():
    arrivals = shelf(item_of("lathe", "workshop"), item_of("rake", "garden"))
    assert taste_of(arrivals, "tea", "mug").share == 0
    assert taste_of(arrivals, "tea", "rake").share == 0
    assert taste_of(arrivals, "lathe").share == 1
    # Weights fade by half: 1 of 1.5, and .5 of 1.5.
    assert taste_of(arrivals, "tea", "lathe").share == pytest.approx(1 / 1.5)
    assert taste_of(arrivals, "lathe", "tea").share == pytest.approx(0.5 / 1.5)
    total = np.array([3, 1, 2, 0, 0, 0], np.float32)
    stand = arrivals.stand(total, taste_of(arrivals, "tea", "lathe"), np.ones(8, np.bool_))
    assert stand is not None
    assert stand.moved is not None
    assert (stand.moved[3:] > 0).all()
    assert (stand.moved[:3] < 0).all()
    assert stand.scores[3] > total[3]
    # A third of what the model says remains, and its order with it.
    np.testing.assert_allclose(np.diff(stand.scores[:3]), np.diff(total[:3]) / 3, rtol=1e-4)


def test_a_history_of_new_items_alone_is_heard_by_content_alone():
    arrivals = shelf(item_of("lathe", "workshop"))
    stand = arrivals.stand(np.zeros(6, np.float32), taste_of(arrivals, "lathe"), np.ones(7, bool))
    assert stand is not None
    assert stand.scores[3:6].min() > stand.scores[:3].max()
    assert stand.scores[6] > stand.scores[:3].max()


def test_reasons_are_what_each_event_adds():
    arrivals = shelf(item_of("lathe", "workshop"))
    targets, rows = np.array([6, 0], np.int32), np.array([0, 6], np.int32)
    found = arrivals.reasons(targets, rows, np.array([0.5, 1], np.float32))
    assert found.tolist() == [[0, 1], [0.5, 0]]
