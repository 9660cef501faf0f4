from dataclasses import replace

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import KINDS
from domain.ids import hash64
from models.recommend.candidates import columns_of
from tests.models.recommend.small import small_model
from tests.training.answering import FIRST_DAY, ITEMS, shop
from tests.training.worlds import START
from training.fit.answered import Lesson, answered_of, queries_told
from training.fit.answers import answers_of
from training.fit.blending import folds_of
from training.fit.decided import SHARES, Held, Trial, try_answers
from training.fit.lambdarank import Grower, item_facts, learn_ranker, ndcg_of, queries_of
from training.fit.settings import RankerSettings
from training.splits import entities_of, interactions_of, time_split

SETTINGS = RankerSettings(trees=20, folds=3, least_rows=20, most=20)
SINCE = START + FIRST_DAY * DAY_MS
LATE = SINCE + 100 * DAY_MS
WEIGHTS = np.ones(KINDS, np.float32)


def quiet(_):
    """Take no notice of a step."""


def trial_of(**made):
    """Held-out events of a shop and what it was answered, ready to be tried."""
    history, rows, items = shop(**made)
    hashes = np.array([hash64(item) for item in items], np.uint64)
    model = replace(small_model(ITEMS), items=tuple(items), hashes=hashes)
    full = interactions_of(history, hashes, WEIGHTS)
    split = time_split(full, SINCE, LATE, 512, repeats=False)
    facts, folds = item_facts(split.known, SINCE), folds_of(split.known, SETTINGS.folds)
    held = queries_of(model, facts, full, split.cases, SETTINGS.most, 1)
    users = entities_of(history, hashes, WEIGHTS)
    found = answered_of(answers_of(rows, history), history, hashes, users, LATE)
    told = queries_told(found, [Lesson(model, facts, SINCE, LATE)], folds, SETTINGS, 1)
    trial = Trial(Held(held, folds[held.users]), told, SETTINGS, 0, 1)
    return trial, model, found


def plain_of(trial):
    weights = trial.held.astype(float)
    return learn_ranker(trial.plain(), trial.folds, SETTINGS, weights=weights)


@pytest.fixture(scope="module")
def shop_with_sides():
    return trial_of(users=200, each=12)


def test_the_first_half_teaches_the_next_quarter_weighs_the_last_judges(shop_with_sides):
    trial, *_ = shop_with_sides
    count = int((~trial.held).sum())
    teaches = (trial.counts(0.3) > 0)[~trial.held]
    assert teaches.tolist() == [place < 0.5 * count for place in range(count)]
    judges = trial.judging[~trial.held]
    assert judges.tolist() == [place >= 0.75 * count for place in range(count)]
    own = ~trial.held & (trial.counts(3.0) > 0)
    assert trial.counts(3.0)[own] == pytest.approx(3.0 * trial.worth[own])
    assert (trial.counts(3.0)[trial.held] == 1).all()
    assert (trial.counts(0.3, all_teach=True) > 0).all()


def test_nobody_said_where_a_held_out_event_would_be(shop_with_sides):
    trial, model, found = shop_with_sides
    columns = (*columns_of(model.voices), *found.scenery(0).columns)
    assert trial.queries.rows.shape[1] == len(columns)
    assert trial.narrow == trial.plain().rows.shape[1] == len(columns_of(model.voices))
    rows = np.repeat(trial.held, trial.queries.sizes)
    assert np.isnan(trial.queries.rows[rows][:, trial.narrow :]).all()
    assert not np.isnan(trial.queries.rows[~rows][:, trial.narrow :]).any()


def test_who_learned_from_answers_foretells_later_ones_better(shop_with_sides):
    trial, *_ = shop_with_sides
    plain = plain_of(trial)
    share, trees, judged = try_answers(trial, plain.trees, quiet)
    assert share in SHARES
    assert trees <= SETTINGS.trees
    gain = trial.gain("ranker", plain.out_of_fold, judged, 0)
    assert gain.low > 0.05
    blend = trial.in_order_of(0)
    assert not trial.gain("blend", blend, plain.out_of_fold, 0).taken
    forest = trial.forest(share, trees)
    assert forest.features == trial.queries.rows.shape[1]
    assert len(forest) == trees


def test_those_who_judge_teach_nothing(shop_with_sides):
    """Other outcomes of the last quarter: all is learned and else judged as before."""
    trial, *_ = shop_with_sides
    share, trees, judged = try_answers(trial, 20, quiet)
    rows = np.repeat(trial.judging, trial.queries.sizes)
    gains = trial.queries.gains.copy()
    gains[rows] = 0
    ends = np.cumsum(trial.queries.sizes)[trial.judging]
    gains[ends - 1] = 1
    other = trial_like(trial, gains)
    again = try_answers(other, 20, quiet)
    assert again[:2] == (share, trees)
    same = ~trial.judging
    assert again[2][same].tolist() == judged[same].tolist()
    assert again[2][~same].tolist() != judged[~same].tolist()


def trial_like(trial, gains):
    made = object.__new__(Trial)
    made.__dict__ = {**trial.__dict__, "queries": trial.queries._replace(gains=gains)}
    return made


@pytest.mark.parametrize("seed", [1, 2])
def test_targets_dealt_at_random_gain_nothing(seed):
    trial, *_ = trial_of(users=200, each=12, seed=seed)
    rng, gains, end = np.random.default_rng(seed), trial.queries.gains.copy(), 0
    for size, held in zip(trial.queries.sizes.tolist(), trial.held.tolist(), strict=True):
        end += size
        if not held:
            gains[end - size : end] = rng.permutation(gains[end - size : end])
    shuffled = trial_like(trial, gains)
    plain = plain_of(shuffled)
    judged = try_answers(shuffled, plain.trees, quiet)[2]
    assert not shuffled.gain("ranker", plain.out_of_fold, judged, 0).taken


def test_without_scenes_in_the_log_there_are_no_names_and_nothing_to_learn_from():
    trial, _, found = trial_of(users=120, each=10, blind=True)
    assert found.names == ((), ())
    plain = plain_of(trial)
    judged = try_answers(trial, plain.trees, quiet)[2]
    assert trial.gain("ranker", plain.out_of_fold, judged, 0).low < 0.05


def test_clicks_count_as_if_every_place_were_looked_at():
    """What is bought most is shown first and clicked most, and wanted least: only clicks that
    count by their places tell. Judged by lists in any order, of a shop where all is looked at."""
    biased, _, found = trial_of(users=300, each=12, pushed=0.9, blind=True)
    assert found.examination.low - 0.2 <= 1.0 <= found.examination.high + 0.2
    fair, *_ = trial_of(users=300, each=12, pushed=0.5, steepness=0.0, blind=True, seed=1)
    asked = ~fair.held
    rows = np.repeat(asked, fair.queries.sizes)
    judging = fair.queries._replace(
        rows=fair.queries.rows[rows],
        sizes=fair.queries.sizes[asked],
        gains=fair.queries.gains[rows],
        targets=fair.queries.targets[asked],
    )
    ndcg = {}
    for name, worth in (("counted", biased.worth), ("plain", np.ones(len(biased.worth)))):
        grower = Grower(biased.queries, np.where(biased.held, 0.0, worth), SETTINGS, 0, 1)
        ndcg[name] = ndcg_of(judging, grower.forest(20).raw(judging.rows.astype(float)))
    assert ndcg["counted"].mean() > ndcg["plain"].mean() + 0.02
