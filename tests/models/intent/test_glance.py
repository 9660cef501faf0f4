"""One look says what the long way says, of any history, model and moment."""

import dataclasses

import numpy as np
import pytest

from models.forest import forest_from_dump
from models.intent.features import NAMES
from models.intent.glance import Glancer, Parts, _firsts
from models.intent.model import IntentModel
from models.intent.network import Network
from models.intent.past import SESSION
from models.intent.question import kinds_of
from models.intent.vocabulary import FIELDS
from tests.models.forest.growing import dump_of, leaf, split
from tests.models.intent.making import START, columns, model
from training.fit.intent.net import Learner, Shape

HISTORY = np.dtype(
    [("kind", "u1"), ("item", "<u8"), ("value", "<i8"), ("currency", "<u2"), ("at", "<i8")]
)
"""Packed as a store's records are: a field's numbers lie apart, some of them not aligned."""


@pytest.fixture(scope="module", params=[(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])
def any_model(request: pytest.FixtureRequest) -> IntentModel:
    return model(*request.param)


@pytest.fixture(scope="module")
def blend() -> IntentModel:
    return model()


def history(n: int, seed: int = 0, pause_ms: int = 60_000) -> tuple:
    """Draw n events, some of another currency, with a long pause now and then."""
    rng = np.random.default_rng(seed)
    own = columns(n, seed, pause_ms)
    out = np.zeros(n, HISTORY)
    out["kind"], out["item"], out["value"] = own.kinds, own.items, own.values
    out["item"][rng.random(n) < 0.1] = 0
    out["item"][rng.random(n) < 0.1] = 2**63 + 11
    out["kind"][rng.random(n) < 0.05] = 8
    out["currency"] = rng.random(n) < 0.2
    out["at"] = own.ats + np.cumsum((rng.random(n) < 0.08) * 3_000_000)
    return tuple(out[name] for name in ("kind", "item", "value", "currency", "at"))


def the_long_way(intent: IntentModel, events: tuple, as_of: int) -> tuple:
    kinds, items, values, currencies, ats = events
    own = intent.columns(kinds, items, ats, np.where(currencies == 0, values, 0))
    visit = intent.visit(own, as_of)
    return intent.score_of(visit, as_of), visit.last_at


@pytest.mark.parametrize("n", [1, 2, 7, 60, 300, 512, 700])
def test_it_is_the_long_way(any_model: IntentModel, n: int) -> None:
    assert any_model.glancer is not None
    for seed in range(3):
        events = history(n, seed)
        ats = events[-1]
        for as_of in (ats[-1] + 1, ats[-1] + 500_000, ats[n // 2] + 1, ats[-1], START + 10**9):
            found, last_at = any_model.score_history(events, int(as_of))
            wanted, wanted_last = the_long_way(any_model, events, int(as_of))
            assert found.probability == pytest.approx(wanted.probability, abs=1e-12)
            assert found.confidence == pytest.approx(wanted.confidence, abs=1e-12)
            assert (found.events, last_at) == (wanted.events, wanted_last)


@pytest.mark.parametrize("target", ["purchase", "add_to_cart", "abandon"])
def test_every_question_stands_as_long_as_it_does_the_long_way(target: str) -> None:
    intent = model(0.0, 1.0, target, hours=24.0)
    for seed in range(20):
        events = history(9, seed)
        as_of = int(events[-1][-1]) + 1
        found, wanted = intent.score_history(events, as_of), the_long_way(intent, events, as_of)
        assert found[0] == pytest.approx(wanted[0], abs=1e-12)


def test_nothing_before_a_moment_is_the_rate_and_no_trust(blend: IntentModel) -> None:
    events = history(5)
    assert blend.score_history(events, START) == ((blend.rate, 0.0, 0), 0)
    assert blend.score_history(tuple(one[:0] for one in events), START) == ((0.1, 0.0, 0), 0)


def test_a_session_without_end_is_worth_the_less_the_longer_it_is(blend: IntentModel) -> None:
    long = history(SESSION * 2, pause_ms=1_001)
    long[-1][:] = START + np.arange(SESSION * 2) * 1_000
    as_of = int(long[-1][-1]) + 1
    found, _ = blend.score_history(long, as_of)
    assert found.events == 2 * SESSION
    assert found.confidence == pytest.approx(the_long_way(blend, long, as_of)[0].confidence)


def test_a_gru_is_looked_at_as_an_lstm_is(blend: IntentModel) -> None:
    words = blend.encoding.vocabulary
    shape = Shape(
        "gru", int(words.sizes.sum()), blend.encoding.numbers, blend.encoding.prior.width, width=8
    )
    intent = dataclasses.replace(blend, network=Network(Learner(shape).to_onnx(len(FIELDS))))
    assert intent.glancer is not None
    events = history(30)
    as_of = int(events[-1][-1]) + 1
    found, wanted = intent.score_history(events, as_of), the_long_way(intent, events, as_of)
    assert found[0].probability == pytest.approx(wanted[0].probability, abs=1e-12)


def test_a_model_without_the_short_way_answers_all_the_same(blend: IntentModel) -> None:
    words = blend.encoding.vocabulary
    shape = Shape(
        "transformer", int(words.sizes.sum()), blend.encoding.numbers,
        blend.encoding.prior.width, width=8,
    )  # fmt: skip
    network = Network(Learner(shape).to_onnx(len(FIELDS)))
    named = split(0, "1||3", leaf(1.0, 5), leaf(2.0, 5), decision_type="==")
    forest = forest_from_dump(dump_of(named, features=len(NAMES)))
    events = history(12)
    as_of = int(events[-1][-1]) + 1
    for changed in ({"network": network}, {"forest": forest}):
        intent = dataclasses.replace(blend, **changed)
        assert intent.glancer is None
        assert intent.score_history(events, as_of) == the_long_way(intent, events, as_of)


def test_parts_that_do_not_fit_each_other_are_refused(blend: IntentModel) -> None:
    shape = Shape("lstm", 5, blend.encoding.numbers, blend.encoding.prior.width, width=8)
    other = Network(Learner(shape).to_onnx(len(FIELDS)))
    narrow = forest_from_dump(dump_of(split(0, 0.5, leaf(1.0, 5), leaf(2.0, 5)), features=2))
    for changed, what in (({"network": other}, "encoding"), ({"forest": narrow}, "features")):
        intent = dataclasses.replace(blend, **changed)
        parts = Parts(
            intent.encoding, intent.renown, intent.categories, intent.network, intent.forest,
            intent.mix, intent.trust,
        )  # fmt: skip
        with pytest.raises(ValueError, match=what):
            Glancer.of(parts, intent.gap_ms, kinds_of("purchase"))


def test_buckets_begin_where_their_hashes_do() -> None:
    rng = np.random.default_rng(0)
    items = np.unique(rng.integers(0, 2**64 - 1, 200, np.uint64))
    firsts = _firsts(items, 5)
    for bucket, first in enumerate(firsts):
        assert (items[:first] >> np.uint64(59) < bucket).all()
        assert (items[first:] >> np.uint64(59) >= bucket).all()
