"""The default mix changes only for what answers earned, or because somebody says so."""

import json
from pathlib import Path

import numpy as np
import pytest

from domain.errors import OperatorError, TooLittleData
from feature_store.settings import Home
from models.recommend.contexts import WIDTH
from models.recommend.mixes import ARMS
from models.recommend.model import RecommendModel
from models.recommend.popularity import Popularity
from tests.models.recommend.small import ranked_model
from training.evaluate import default_mix
from training.evaluate.blends import Answers
from training.evaluate.default_mix import (
    CHECK,
    WAIVE,
    check_challenger,
    check_mix,
    judge_mix,
    leader,
    waived,
    worth_here,
)
from training.evaluate.ope import Log
from training.gate import Check


def answers(rates: dict[str, float], n: int = 6_000, seed: int = 0) -> Answers:
    """Answers of mixes drawn evenly, with these chances of a reward of 1."""
    rng = np.random.default_rng(seed)
    arms = np.array([ARMS.index(name) for name in rates])[rng.integers(0, len(rates), n)]
    reward = (rng.random(n) < np.array([rates[ARMS[arm]] for arm in arms])).astype(float)
    log = Log(rng.normal(size=(n, WIDTH - 1)), arms, np.full(n, 1 / len(rates)), reward)
    return Answers(log, ("",) * n)


def model(**weights: float) -> RecommendModel:
    crowd = Popularity(np.arange(3, 0, -1.0), None)
    return RecommendModel(
        ("a", "b", "c"), np.arange(3, dtype=np.uint64), tuple(weights), (crowd,) * len(weights),
        np.array(list(weights.values()), np.float32), np.ones(4, np.float32),
    )  # fmt: skip


def test_what_is_proven_may_be_the_default():
    found = check_mix(answers({"released": 0.10, "crowd": 0.14}), "crowd")
    assert found.passed
    assert "crowd gains SNIPS +0.0" in found.detail
    assert check_mix(answers({"crowd": 0.1}), "released").passed


def test_what_loses_is_refused_and_told_to_stay():
    found = check_mix(answers({"released": 0.14, "crowd": 0.10}), "crowd")
    assert not found.passed
    assert "keep the released mix, or say --unproven-mix" in found.detail


def test_what_is_not_settled_is_refused_and_told_to_wait():
    found = check_mix(answers({"released": 0.1, "crowd": 0.1}, n=400), "crowd")
    assert not found.passed
    assert "let more answers come, or say --unproven-mix" in found.detail


def test_a_mix_that_was_never_drawn_is_refused():
    found = check_mix(answers({"released": 0.1, "crowd": 0.2}), "visit")
    assert not found.passed
    assert "none was given with the mix 'visit'" in found.detail


def test_the_leader_is_the_kind_that_weighs_most():
    assert leader(model(popularity=0.3, trend=0.3, factors=0.5)) == "crowd"
    assert leader(model(popularity=0.3, factors=0.5)) == "taste"


def test_what_a_ranker_leans_to_leads():
    ranked = ranked_model(20)
    assert leader(ranked) != "taste"
    raised = ranked.weights.copy()
    raised[ranked.members.index("factors")] += 9.0
    assert leader(ranked.mixed(raised)) == "taste"


def test_a_challenger_is_asked_where_the_leader_changes(tmp_path: Path, monkeypatch):
    home, taste, crowd = Home(tmp_path), model(factors=1.0), model(popularity=1.0)
    assert check_challenger(home, "v1", taste, taste, 0).detail == "led by taste, as before"
    nothing = check_challenger(home, "v1", crowd, taste, 0)
    assert nothing.passed, "where nobody tells what came of answers nothing can be asked"
    assert nothing.detail.startswith("led by crowd, no longer by taste; too few answers of")
    told = {"held": answers({"released": 0.14, "crowd": 0.10})}
    monkeypatch.setattr(default_mix, "answers_of", lambda *_: told["held"])
    refused = check_challenger(home, "v1", crowd, taste, 0)
    assert not refused.passed
    assert refused.detail.startswith("led by crowd, no longer by taste: crowd gains")
    told["held"] = answers({"released": 0.10, "crowd": 0.14})
    assert check_challenger(home, "v1", crowd, taste, 0).passed


def test_a_mix_without_a_log_is_refused(tmp_path: Path):
    found = judge_mix(Home(tmp_path), "v1", "crowd", 10**12)
    assert (found.name, found.passed) == (CHECK, False)
    assert found.detail.endswith(f"let answers come, or say {WAIVE}")
    with pytest.raises(TooLittleData, match="recommend/v1"):
        default_mix.answers_of(Home(tmp_path), "v1", worth_here({}), 10**12)


def test_only_the_default_mix_is_waived():
    other, good = Check("quality", False, "worse"), Check(CHECK, True, "fine")
    assert waived(other) == other
    assert waived(good) == good
    let = waived(Check(CHECK, False, "why"))
    assert let == (CHECK, True, f"taken unproven, as asked ({WAIVE}): why")


def test_a_worth_that_is_none_is_the_operators_to_mend():
    with pytest.raises(OperatorError, match="SANDERLING_REWARD_HOURS"):
        worth_here({"SANDERLING_REWARD_HOURS": json.dumps({})})
