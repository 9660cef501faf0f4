from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from benchmarks import churn_cdnow
from benchmarks.churn_cdnow import FIRST_DAY, LAST_DAY, auc, average_precision, read_case, run_cdnow
from benchmarks.harness import Arguments
from domain.errors import TooLittleData


def test_the_published_weeks():
    days = [datetime.fromtimestamp(day * 86_400, UTC) for day in (FIRST_DAY, LAST_DAY)]
    assert [f"{day:%Y-%m-%d}" for day in days] == ["1997-01-01", "1997-09-30"]


def test_golden_numbers(data_dir):
    """Fader, Hardie and Lee (2005); Fader and Hardie (2005, 2013), on the same customers."""
    outcome = run_cdnow(Arguments(data_dir))
    assert [bar.name for bar in outcome.bars if not bar.holds] == []
    assert len(outcome.bars) == 10
    figures = outcome.figures
    assert figures["customers"] == 2_357
    assert figures["bgnbd_log_likelihood"] == pytest.approx(-9_582.4, abs=0.05)
    assert figures["pareto_log_likelihood"] == pytest.approx(-9_595.0, abs=0.05)
    assert figures["gammagamma_p"] == pytest.approx(6.25, abs=0.006)
    assert figures["gammagamma_q"] == pytest.approx(3.74, abs=0.006)
    assert figures["gammagamma_gamma"] == pytest.approx(15.44, abs=0.006)
    assert all(figures[f"{name}_converged"] for name in ("bgnbd", "pareto", "mbgnbd"))


LOG = """
 1 1 19970101 1 10.00
 1 1 19970101 1 5.00
 1 1 19970115 2 20.00
 1 1 19970930 1 30.00
 1 1 19971001 1 7.00
 1 1 19971001 1 8.00
 2 2 19970108 1 10.00
 2 2 19980105 1 50.00
 3 3 19971005 1 10.00
"""


def test_days_with_an_order_are_counted(tmp_path):
    (tmp_path / "CDNOW_sample.txt").write_text(LOG)
    case = read_case(tmp_path)
    assert case.customers.frequency.tolist() == [2, 0]
    assert (case.customers.recency * 7).tolist() == pytest.approx([272, 0])
    assert (case.customers.age * 7).tolist() == pytest.approx([272, 265])
    assert case.later.tolist() == [1, 1]
    assert case.spend.tolist() == [25, 0]
    assert case.later_value.tolist() == [15, 50]


def test_a_number_off_by_more_than_a_thousandth_misses_its_bar(monkeypatch, data_dir):
    wrong = {"bgnbd": ({"r": 0.2429}, 1.6075)}
    monkeypatch.setattr(churn_cdnow, "PUBLISHED", wrong)
    assert [bar.holds for bar in run_cdnow(Arguments(data_dir)).bars] == [False, False]


def test_without_the_log():
    with pytest.raises(TooLittleData):
        run_cdnow(Arguments())


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=40))
def test_auc_and_precision_as_others_compute_them(rows):
    score = np.array([value for value, _ in rows], float)
    label = np.array([flag for _, flag in rows])
    if label.all() or not label.any():
        return
    assert auc(score, label) == pytest.approx(roc_auc_score(label, score))
    assert average_precision(score, label) == pytest.approx(average_precision_score(label, score))
