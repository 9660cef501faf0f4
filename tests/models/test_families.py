"""Loading a family's scorer from its bundle: golden rows first, every refusal said."""

import numpy as np
import pytest

from domain.errors import BundleRefused
from models import families
from models.bundle import Draft, Golden, write_bundle
from models.families import SCORERS, load_scorer


class Doubler:
    def __init__(self, bundle) -> None:
        self.factor = float(bundle.arrays["factor"][0])

    def answer(self, row):
        return row * self.factor


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """Write a toy bundle with a factor; its golden row says 2 for 1."""
    monkeypatch.setitem(families.SCORERS, "toy", Doubler)
    golden = Golden([{"input": 1.0, "output": 2.0}])

    def write(factor, name="factor"):
        return write_bundle(
            tmp_path, Draft("toy", 0, {name: np.array([factor])}, {}, golden=golden)
        )

    return write


def test_a_scorer_comes_with_its_golden_rows_checked(toy):
    assert load_scorer(toy(2.0)).factor == 2.0


def test_a_scorer_that_answers_otherwise_is_refused(toy):
    bundle = toy(3.0)
    with pytest.raises(BundleRefused, match="golden row 0"):
        load_scorer(bundle)
    assert load_scorer(bundle, golden=False).factor == 3.0


def test_a_bundle_without_its_parts_is_refused(toy):
    with pytest.raises(BundleRefused, match=r"does not hold what its family needs \(KeyError\)"):
        load_scorer(toy(2.0, "other"))


def test_an_unknown_family_is_refused_and_the_known_ones_named(tmp_path):
    bundle = write_bundle(tmp_path, Draft("strange", 0, {}, {}))
    with pytest.raises(BundleRefused, match="no family called strange; one of recommend"):
        load_scorer(bundle)


def test_the_recommender_comes_back_from_its_bundle(tmp_path):
    from domain.events import KINDS
    from domain.ids import hash64
    from models.recommend.model import RecommendModel
    from models.recommend.popularity import Popularity

    items = ("a", "b", "ü")
    model = RecommendModel(
        items=items,
        hashes=np.array([hash64(item) for item in items], np.uint64),
        members=("popularity",),
        scorers=(Popularity(np.array([1.0, 5.0, 2.0], np.float32), None),),
        weights=np.ones(1, np.float32),
        kind_weights=np.ones(KINDS, np.float32),
    )
    row = {"items": ["a"], "kinds": [5], "ats": [0], "as_of": 1, "k": 3}
    golden = Golden([{"input": row, "output": model.answer(row)}])
    draft = Draft("recommend", 0, model.arrays(), model.params(), golden=golden)
    loaded = load_scorer(write_bundle(tmp_path, draft))
    assert loaded.answer(row)["items"] == ["b", "ü", "a"]
    assert set(SCORERS) >= {"recommend", "churn"}
