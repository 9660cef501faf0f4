"""The record: figures beside popularity's, with their intervals, none made up."""

from demo.record import figures
from models.bundle import Metric


def test_figures() -> None:
    metrics = {
        "hr_at_10": Metric(0.5, 0.4, 0.6),
        "popularity_hr_at_10": Metric(0.25, 0.2, 0.3),
        "ndcg_at_10": Metric(0.3, 0.2, 0.4),
        "coverage_at_10": Metric(0.9, 0.8, 1.0),
    }
    assert figures(metrics) == [
        ["hr_at_10", "0.5000 [0.4000, 0.6000]", "0.2500 [0.2000, 0.3000]"],
        ["ndcg_at_10", "0.3000 [0.2000, 0.4000]", "–"],
    ]
