"""The bidding model: from parts to a bundle and back, one call for all candidates, refusals."""

import numpy as np
import pytest

from domain.errors import BundleRefused
from models.bidding.columns import BUCKETS, COMMON, NAMES, WORDS, common_row, own_codes
from models.bidding.evidence import PRIOR_VARIANCE
from models.bidding.landscape import Landscape, columns_of
from models.bidding.model import BiddingModel, Calibrated
from models.bidding.value import AIMS, Line
from models.bundle import Draft, Golden, write_bundle
from models.families import load_scorer
from models.forest.forest import Forest

ROW = {
    "context": {"exchange": "a", "site": "s"},
    "campaign": "c",
    "line": "l",
    "creative": "k",
    "aim": "cpa",
    "target": 4_000_000,
    "standard": 1_000_000,
    "bid": 900_000,
}


def stump(column, threshold, low, high):
    """A forest of one split."""
    arrays = {
        "splits": [0, 1],
        "leaves": [0, 2],
        "feature": [column],
        "threshold": [threshold],
        "kind": [0],
        "missing_left": [1],
        "left": [~0],
        "right": [~1],
        "cover": [2.0],
        "bits_start": [0, 0],
        "bits": [],
        "value": [low, high],
        "leaf_cover": [1.0, 1.0],
        "features": [len(NAMES)],
    }
    return Forest.from_arrays(arrays)


def model(**changes):
    d = columns_of(2) + 1
    weights = np.zeros(d)
    weights[0], weights[-1] = np.log(1e6), np.log(0.5)
    parts = {
        "click": Calibrated(stump(NAMES.index("intent"), 0.5, -4.0, -2.0), 1.0, 0.1, 0.02),
        "conversion": Calibrated(stump(NAMES.index("campaign"), 100.0, -3.0, -1.0), 0.8, 0.0, 0.1),
        "variance": np.full((2, len(WORDS) * BUCKETS), 0.01),
        "landscape": Landscape(0, weights, np.eye(d) * 0.01, 2),
        "worth": {"": 30e6, "c": 50e6},
        "delay": 3_600_000.0,
    }
    return BiddingModel(**{**parts, **changes})


def lines(n, aim="cpc"):
    one = np.ones(n)
    return Line(np.full(n, AIMS[aim]), one * 1e5, one * 1e6, one * 3e7, one, one)


def test_one_call_values_every_candidate_as_it_would_alone():
    found, common = model(), common_row({"site": "s"}, {"intent": 0.9})
    own = np.stack([own_codes(f"c{n}", "l", "k") for n in range(12)])
    together = found.value(common, own, lines(12, "cpa"))
    for row in range(12):
        alone = found.value(common, own[row : row + 1], lines(1, "cpa"))
        assert [part[row] for part in together] == [part[0] for part in alone]
    assert len(set(together.conversion)) == 2


def test_chances_are_those_of_the_forests():
    found = model()
    low = found.value(common_row({}, {"intent": 0.2}), own_codes("c", "l", "k")[None], lines(1))
    high = found.value(common_row({}, {"intent": 0.9}), own_codes("c", "l", "k")[None], lines(1))
    assert low.click[0] == pytest.approx(1 / (1 + np.exp(3.9)))
    assert high.click[0] == pytest.approx(1 / (1 + np.exp(1.9)))


def test_a_bundle_answers_as_the_model_did(tmp_path):
    first = model()
    golden = Golden([{"input": ROW, "output": first.answer(ROW)}], 1e-9)
    draft = Draft("bidding", 0, first.arrays(), first.params(), golden=golden)
    again = load_scorer(write_bundle(tmp_path, draft))
    assert again.answer(ROW) == first.answer(ROW)
    assert again.worth_of("c") == 50e6
    assert again.worth_of("other") == 30e6


def test_the_answer_says_value_chances_confidence_and_win():
    answer = model().answer(ROW)
    assert answer["confidence"] == pytest.approx(0.8)
    expected = 4e6 * 1000 * answer["click"] * answer["conversion"]
    assert answer["value"] == pytest.approx(0.8 * min(expected, 20e6) + 0.2 * 1e6)
    assert 0 < answer["win"] < 0.5


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match="shared"):
        model().value(np.zeros(COMMON + 1), np.zeros((1, 3)), lines(1))
    with pytest.raises(ValueError, match="shared"):
        model().value(np.zeros(COMMON), np.zeros((1, 2)), lines(1))


@pytest.mark.parametrize(
    "broken",
    [
        {"click": Calibrated(stump(0, 0.5, 0, 0), -1.0, 0.0, 0.1)},
        {"click": Calibrated(stump(0, 0.5, 0, 0), np.inf, 0.0, 0.1)},
        {"conversion": Calibrated(stump(0, 0.5, 0, 0), 1.0, 0.0, 0.0)},
        {"variance": np.full((2, len(WORDS) * BUCKETS), PRIOR_VARIANCE * 2)},
        {"variance": np.zeros((1, 4))},
        {"worth": {"": -1.0}},
        {"delay": float("nan")},
    ],
)
def test_a_model_that_makes_no_sense_is_refused(broken):
    with pytest.raises(ValueError, match=r"calibration|rate|variance|worth"):
        model(**broken)


def test_a_bundle_of_other_features_is_refused(tmp_path):
    first = model()
    draft = Draft("bidding", 0, first.arrays(), {**first.params(), "names": ["other"]})
    with pytest.raises(BundleRefused, match="no bidding model"):
        load_scorer(write_bundle(tmp_path, draft))
