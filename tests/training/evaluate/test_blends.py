"""Mixes are valued from what was logged, and advised only when they cannot be told to lose."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from domain.errors import TooLittleData
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS
from models.recommend.worth import Worth
from training.evaluate.blends import (
    Answers,
    advise,
    advise_pages,
    chosen_of,
    over,
    read_answers,
    shortfalls,
    table_of,
    value_mixes,
)
from training.evaluate.ope import Log, crossfit

NOW = 1_760_000_000_000
X = [1.0, *[0.5] * (WIDTH - 1)]


def log_of(rates: dict[int, float], n: int = 6_000, seed: int = 0) -> Log:
    """Answer a log of arms drawn evenly, with these chances of a reward of 1."""
    rng = np.random.default_rng(seed)
    arms = np.array(list(rates))[rng.integers(0, len(rates), n)]
    chance = np.array([rates[arm] for arm in arms.tolist()])
    reward = (rng.random(n) < chance).astype(float)
    return Log(rng.normal(size=(n, WIDTH - 1)), arms, np.full(n, 1 / len(rates)), reward)


def test_a_better_mix_is_advised():
    advice = advise(log_of({0: 0.10, 1: 0.14, 2: 0.05}))
    assert (advice.default, advice.answers) == ("crowd", 6_000)
    worth = {one.mix: one.worth["dr"] for one in advice.mixes}
    for name, rate in (("released", 0.10), ("crowd", 0.14), ("visit", 0.05)):
        assert worth[name].low < rate < worth[name].high
    assert [one.mix for one in advice.mixes] == ["crowd", "released", "visit"]
    assert sum(one.share for one in advice.mixes) == pytest.approx(1.0)


def test_what_may_be_worse_is_not_advised_and_it_says_why():
    advice = advise(log_of({0: 0.10, 1: 0.105}, n=2_000, seed=3))
    assert advice.default == "released"
    if advice.mixes[0].mix == "crowd":
        assert "crowd: SNIPS" in advice.reasons[0]
    assert advise(log_of({0: 0.14, 1: 0.10})).default == "released"


def test_a_mix_gains_nothing_over_itself_and_intervals_hold():
    inside = 0
    for seed in range(60):
        log = log_of({0: 0.10, 1: 0.12}, n=1_500, seed=seed)
        predicted = crossfit(log, len(ARMS))
        found = over(log, 1, 0, predicted)["dr"]
        inside += found.low <= 0.02 <= found.high
        same = over(log, 1, 1, predicted)["snips"]
        assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert inside >= 52


def test_a_table_for_people():
    lines = table_of(advise(log_of({0: 0.10, 1: 0.14})))
    assert lines[0].startswith("6,000 answers")
    assert lines[-1] == "advised default: crowd"


def request(**changes) -> str:
    chosen = {
        "mix": "visit", "propensity": 0.25, "context": X, "explored": [1], "learning": True,
    }  # fmt: skip
    return json.dumps({"k": 3, "context": {"page": "home"}, "chosen": chosen | changes})


def test_only_what_was_drawn_counts():
    assert chosen_of(request())
    for wrong in (
        "{}", "no JSON", "[]", request(mix="odd"), request(propensity=0.0),
        request(context=X[1:]), request(learning=False),
    ):  # fmt: skip
        assert chosen_of(wrong) is None


@pytest.mark.parametrize(
    ("context", "page"),
    [({"page": "cart"}, "cart"), (None, ""), ("odd", ""), ({"page": 5}, ""), ({}, ""),
     ({"page": "x" * 65}, ""), ({"page": "a\x1b[2J"}, "")],
)  # fmt: skip
def test_a_page_is_a_name_or_none(context, page):
    found = chosen_of(json.dumps(json.loads(request()) | {"context": context}))
    assert found is not None
    assert found["page"] == page


def test_pages_are_advised_apart():
    one, other = log_of({0: 0.10, 1: 0.16}, seed=1), log_of({0: 0.16, 1: 0.10}, seed=2)
    few = log_of({0: 0.1, 1: 0.1}, n=20)
    both = Log(
        *(np.concatenate([getattr(log, name) for log in (one, other, few)])
          for name in ("x", "arm", "propensity", "reward"))
    )  # fmt: skip
    pages = ("home",) * 6_000 + ("cart",) * 6_000 + ("odd",) * 19 + ("rare",)
    found = advise_pages(Answers(both, pages))
    assert {page: one.default for page, one in found.items()} == {
        "home": "crowd", "cart": "released",
    }  # fmt: skip


def test_nothing_is_proven_over_a_mix_that_was_never_given():
    """Without answers of the released mix every other seems to gain all that it earned."""
    (only,) = value_mixes(log_of({1: 0.3}, n=500))
    assert only.gain["snips"].low > 0
    assert "crowd: rests on 0 answers, too few" in shortfalls(only)
    assert advise(log_of({1: 0.3}, n=500)).default == "released"


def test_answers_are_joined_with_what_came_of_them(tmp_path: Path, monkeypatch):
    count = 25
    rows = [
        {"decision_id": f"d{n}", "at": NOW + n, "family": "recommend", "model": "recommend/v1",
         "items": ["a", "b", "c"], "request": request()}
        for n in range(count)
    ]  # fmt: skip
    rows += [rows[0], rows[0] | {"decision_id": "x", "family": "bidding"}]
    rows.append(rows[0] | {"decision_id": "young", "at": NOW + 10**8})
    frame = pl.DataFrame(rows)
    (tmp_path / "decisions").mkdir()
    path = tmp_path / "decisions" / "part.parquet"
    frame.write_parquet(path)

    class File:
        def __init__(self) -> None:
            self.path = path

    hour = 3_600_000
    came = [("d0", 2, "a", 5), ("d0", 2, "a", 9), ("d0", 5, "a", 9), ("d1", 2, "b", 5),
            ("d2", 2, "z", 5), ("d3", 2, "c", 3 * hour), ("d4", 0, "a", 5)]  # fmt: skip
    events = pl.DataFrame(
        [{"decision_id": d, "kind": k, "item": i, "at": NOW + 4 + at} for d, k, i, at in came]
    )
    monkeypatch.setattr("training.evaluate.blends.log_files", lambda _: [File()])
    monkeypatch.setattr("training.evaluate.blends.read_log", lambda *_, **__: events)
    answers = read_answers(tmp_path, tmp_path, Worth(), NOW, NOW + 10**8, "recommend/v1")
    with pytest.raises(TooLittleData):
        read_answers(tmp_path, tmp_path, Worth(), NOW, NOW + 10**8, "recommend/v2")
    assert answers.pages == ("home",) * count
    log = answers.log
    assert len(log.reward) == count
    assert log.reward.tolist() == [6.0] + [0.0] * (count - 1), "explored, other and late: nothing"
    assert set(log.arm.tolist()) == {ARMS.index("visit")}
    assert set(log.propensity.tolist()) == {0.25}


def test_too_few_answers_are_too_few(tmp_path: Path):
    with pytest.raises(TooLittleData):
        read_answers(tmp_path, tmp_path, Worth(), 0, NOW)
