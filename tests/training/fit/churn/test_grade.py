"""The grade: what costs a letter, and what makes all others meaningless."""

from models.bundle import Metric
from training.fit.churn.grade import grade

GOOD = {
    "auc": Metric(0.82, 0.80, 0.84),
    "gain_over_recency": Metric(0.05, 0.04, 0.06),
    "gain_over_prevalence": Metric(0.1, 0.09, 0.11),
    "calibration_p": Metric(0.4, 0.4, 0.4),
    "calibration_error": Metric(0.01, 0.01, 0.01),
}


def test_all_is_good() -> None:
    assert grade(GOOD, 5000, 5000).letter == "A"


def test_each_weakness_costs_a_letter_and_is_told() -> None:
    few = grade(GOOD, 150, 5000)
    assert few.letter == "B"
    assert "150" in few.why[0]
    skewed = grade({**GOOD, "calibration_p": Metric(0.001, 0.001, 0.001)}, 5000, 5000)
    assert skewed.letter == "B"
    assert "0.010" in skewed.why[0]
    both = grade({**GOOD, "auc": Metric(0.68, 0.66, 0.7)}, 150, 5000)
    assert both.letter == "C"
    assert len(both.why) == 2


def test_chance_is_a_d_whatever_else() -> None:
    assert grade({**GOOD, "auc": Metric(0.55, 0.49, 0.6)}, 5000, 5000).letter == "D"


def test_no_better_than_the_rule_is_a_d() -> None:
    found = grade({**GOOD, "gain_over_recency": Metric(0.001, -0.001, 0.003)}, 5000, 5000)
    assert found.letter == "D"
    assert "recency" in found.why[0]


def test_without_recency_prevalence_is_the_rule() -> None:
    plain = {name: metric for name, metric in GOOD.items() if name != "gain_over_recency"}
    assert grade(plain, 5000, 5000).letter == "A"
