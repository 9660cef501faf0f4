from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ScientistError
from models.recommend.narrow import INDEXED
from models.recommend.rounded import whole
from tests.models.recommend.small import past_of, small_model
from tests.models.recommend.small_index import SMALL, clustered, reach_less
from tests.training.worlds import chain, history_of_rows
from training.fit.cells import Indexing, centres_of, indexed, nearest_centres, part, probes_for
from training.fit.recommend import fit
from training.fit.settings import RecommendSettings


def test_every_centre_is_the_mean_of_what_is_nearest_to_it():
    rng = np.random.default_rng(0)
    means = np.array([[10, 0], [0, 10], [-10, 0], [0, -10]], np.float32)
    labels = np.repeat(np.arange(4), 40)
    vectors = (means[labels] + rng.normal(0, 0.1, (160, 2))).astype(np.float32)
    found = centres_of(vectors, 4, seed=3)
    mine = nearest_centres(vectors, found)
    for cell in np.unique(mine):
        np.testing.assert_allclose(found[cell], vectors[mine == cell].mean(axis=0), atol=1e-4)
    assert len(np.unique(mine)) >= 3


def test_every_vector_goes_to_the_nearest_centre():
    vectors, centres = clustered(500, 6, seed=1)
    apart = ((vectors[:, None] - centres[None]) ** 2).sum(axis=2)
    assert nearest_centres(vectors, centres).tolist() == apart.argmin(axis=1).tolist()


def test_vectors_that_are_all_the_same_can_be_parted():
    cells = part(np.zeros((300, 4), np.float32), seed=1, per_cell=100)
    assert cells.size == 300
    assert len(cells.nearest(np.ones(4, np.int16), 300, len(cells))[0]) == 300


def test_fewer_vectors_than_a_cell_holds_are_one_cell():
    assert len(part(np.ones((3, 2), np.float32), seed=1)) == 1


def test_the_spread_of_a_cell_is_how_far_its_items_are_from_its_centre():
    vectors, _ = clustered(400, 4, seed=4)
    cells = part(vectors, seed=1, per_cell=50)
    labels = nearest_centres(vectors, cells.centres)
    for cell in range(len(cells)):
        mine = vectors[labels == cell]
        apart = ((mine - cells.centres[cell]) ** 2).sum(axis=1)
        wanted = np.sqrt(apart.mean()) if len(mine) else 0.0
        assert cells.spreads[cell] == pytest.approx(wanted, rel=1e-3, abs=1e-4)


def test_as_many_cells_are_looked_through_as_hold_enough():
    vectors, questions = clustered(5_000, 8, seed=6)
    cells = part(vectors, seed=1, per_cell=50)
    asked = [whole(one) for one in questions]
    few, probes = probes_for(cells, asked, 50, 0.6), probes_for(cells, asked, 50, 0.98)
    assert few <= probes < len(cells)
    kept = []
    for one in asked:
        truth = set(cells.nearest(one, 50, len(cells))[0].tolist())
        kept.append(len(truth & set(cells.nearest(one, 50, probes)[0].tolist())) / 50)
    assert np.mean(kept) >= 0.98
    assert probes_for(cells, asked, 50, 1.1) == len(cells)


def test_a_model_of_enough_items_is_indexed_and_told_of():
    model, steps = small_model(600), []
    pasts = [past_of([3, 4, seed]) for seed in range(20)]
    settings = Indexing(least_items=600, recall=0.97, most=50, seed=1)
    found, told = indexed(model, pasts, settings, steps.append)
    assert set(found.index) == {"factors"}
    assert steps == ["index factors"]
    assert told["factors"]["cells"] == len(found.index["factors"])
    assert told["factors"]["probes"] == found.index["factors"].probes
    assert told["factors"]["seconds"] >= 0
    assert found.narrow is not None
    reach_less(found, SMALL)
    found.propose(past_of([5]))
    assert found.narrow.tally[INDEXED] == 1


def test_a_model_of_fewer_items_is_left_as_it_is():
    model = small_model(40)
    again, told = indexed(model, [past_of([3])], replace_least(41), lambda what: None)
    assert again is model
    assert told == {}


def replace_least(items: int) -> Indexing:
    return replace(Indexing(), least_items=items)


class Bar:
    """What a fit shows its steps on."""

    def __init__(self, **words: str) -> None:
        self.told: list[str] = []
        BARS.append(self)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close."""

    def set_description_str(self, text: str) -> None:
        self.told.append(text)

    def update(self, count: int) -> None:
        """Nothing to draw."""


BARS: list[Bar] = []


def test_a_fit_of_enough_items_shows_and_times_its_index():
    settings = RecommendSettings(
        members=("factors",),
        ranker={"trees": 0, "earlier": 0},
        fixed={"factors": {"factors": 8, "iterations": 3, "confidence": 10.0}},
        split="leave-one-out",
        index_items=20,
        rounds=20,
        threads=1,
    )
    rows = chain(users=60)
    items = sorted({item for _, item, _ in rows})
    found = fit(history_of_rows(rows), items, settings, Bar)
    assert found.cost["index"]["factors"].keys() == {"cells", "probes", "seconds"}
    assert set(found.model.index) == {"factors"}
    assert "index factors" in BARS[-1].told
    fewer = fit(history_of_rows(rows), items, replace(settings, index_items=10**6), Bar)
    assert not fewer.model.index
    assert "index" not in fewer.cost


@pytest.mark.parametrize("wrong", [{"index_items": 0}, {"index_recall": 0.0}, {"index_recall": 2}])
def test_settings_of_an_index_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ScientistError, match="index_items"):
        RecommendSettings(**wrong)
