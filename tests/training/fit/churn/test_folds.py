"""Folds: labels known by the cut-off only, customers never on both sides."""

import numpy as np

from training.fit.churn.folds import customer_folds, purged, time_folds, tuning_folds


def _rows(cutoffs=8, people=300, seed=0):
    rng = np.random.default_rng(seed)
    as_of = np.repeat(np.arange(cutoffs) * 10, people)
    owner = np.tile(np.arange(people), cutoffs)
    return as_of, owner, (rng.random(len(as_of)) < 0.5).astype(np.uint8)


def test_a_label_is_known_when_its_window_is_over() -> None:
    assert purged(np.array([0, 5, 6]), 10, 5).tolist() == [True, True, False]


def test_time_folds_learn_from_ended_windows_only() -> None:
    as_of, _, y = _rows()
    folds = time_folds(as_of, y, 30, 3)
    assert len(folds) == 3
    for fold in folds:
        (cutoff,) = np.unique(as_of[fold.valid])
        assert as_of[fold.train].max() + 30 <= cutoff
    assert as_of[folds[-1].valid][0] == 70


def test_too_few_cutoffs_are_parted_by_customer() -> None:
    as_of, owner, y = _rows(cutoffs=3)
    folds, kind = tuning_folds(as_of, owner, y, 30, 3, np.random.default_rng(0))
    assert kind == "customers"
    seen = np.concatenate([fold.valid for fold in folds])
    assert sorted(seen) == list(range(len(y)))
    for fold in folds:
        assert not set(owner[fold.train]) & set(owner[fold.valid])


def test_customer_folds_share_out_the_leavers() -> None:
    y = np.array([1] * 30 + [0] * 300, np.uint8)
    folds = customer_folds(np.arange(330), y, 3, np.random.default_rng(1))
    assert [int(y[fold.valid].sum()) for fold in folds] == [10, 10, 10]
