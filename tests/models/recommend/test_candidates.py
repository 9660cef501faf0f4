import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.recommend.candidates import (
    ANY_TIME,
    CASE,
    ITEM,
    Scene,
    columns_of,
    features,
    scene_of,
)
from tests.models.recommend.small import past_of, small_model

N = 40


def facts_of(n=N, seed=4):
    return np.random.default_rng(seed).random((n, len(ITEM))).astype(np.float32)


def naive(model, chosen, past, facts, scene):
    """The same rows, one number after the other, from the words of the columns alone."""
    scored = model.blended(past)
    said = {"blend": scored.total}
    for name in model.voices:
        row = np.empty(len(model), np.float32)
        model.scorers[model.members.index(name)].score(past, row)
        said[name] = row
    had, rows = past.indices.tolist(), []
    for item in chosen.tolist():
        mine = [j for j, one in enumerate(had) if one == item]
        row = {
            "events": len(had),
            "distinct": len(set(had)),
            "again": 1 - len(set(had)) / len(had),
            "idle_days": np.log1p(past.days[-1]),
            "hour": scene.hour,
            "weekday": scene.weekday,
            **dict(zip(ITEM, facts[item], strict=True)),
            "own_events": len(mine),
            "own_share": len(mine) / len(had),
            "own_days": np.log1p(past.days[mine[-1]]) if mine else np.nan,
            "own_back": len(had) - 1 - mine[-1] if mine else np.nan,
        }
        for name, scores in said.items():
            row[f"{name}.score"] = scores[item]
            row[f"{name}.place"] = sum(scores[other] > scores[item] for other in chosen)
        rows.append([row[column] for column in columns_of(model.voices)])
    return np.array(rows, np.float64)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, N))
def test_equals_a_naive_telling(seed, events, count):
    rng = np.random.default_rng(seed)
    model, facts = small_model(N, seed=seed % 7), facts_of()
    past = past_of(rng.integers(0, N, events), days=np.sort(rng.random(events) * 90)[::-1])
    chosen = rng.permutation(N)[:count].astype(np.int32)
    scene = Scene(float(rng.integers(24)), float(rng.integers(7)))
    told = features(chosen, past, model.blended(past), facts, scene)
    wanted = naive(model, chosen, past, facts, scene)
    places = [i for i, name in enumerate(columns_of(model.voices)) if name.endswith(".place")]
    scores = [i for i in range(wanted.shape[1]) if i not in places]
    np.testing.assert_allclose(told[:, scores], wanted[:, scores], atol=2e-5)
    # Standardised or not, the order is the same but for ties of the last bit.
    assert np.mean(told[:, places] == wanted[:, places]) > 0.9


def test_places_count_what_is_higher_and_ties_share():
    model = small_model(N)
    past, chosen = past_of([1, 2, 3]), np.arange(N, dtype=np.int32)
    told = features(chosen, past, model.blended(past), facts_of(), ANY_TIME)
    columns = columns_of(model.voices)
    for voice in ("blend", *model.voices):
        score = told[:, columns.index(f"{voice}.score")]
        place = told[:, columns.index(f"{voice}.place")]
        assert place.tolist() == [(score > one).sum() for one in score]


@pytest.mark.parametrize("when", ["2024-02-29T00:00", "1970-01-01T05:30", "2026-11-22T23:59"])
def test_a_scene_is_the_hour_and_weekday_in_utc(when):
    moment = dt.datetime.fromisoformat(when).replace(tzinfo=dt.UTC)
    found = scene_of(int(moment.timestamp() * 1000))
    assert found == Scene(moment.hour, moment.weekday())


def test_what_is_unknown_is_not_a_number():
    model = small_model(N)
    past = past_of([5])
    told = features(np.array([5, 6], np.int32), past, model.blended(past), facts_of(), ANY_TIME)
    columns = columns_of(model.voices)
    assert np.isnan(told[:, [columns.index("hour"), columns.index("weekday")]]).all()
    own = told[:, columns.index("own_days")]
    assert own[0] == pytest.approx(np.log1p(past.days[0]))
    assert np.isnan(own[1])
    assert told[0, : len(CASE)][:3].tolist() == [1, 1, 0]
