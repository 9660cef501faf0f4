"""The card says what the numbers say, aligned for people."""

from dataclasses import replace

from models.bundle import DataStamp, Metric
from training.card import Facts, by_contender, card, chosen, graded, metric_table

METRICS = {
    "ndcg_at_10": Metric(0.5, 0.4, 0.6),
    "ndcg_at_5": Metric(0.3, 0.2, 0.4),
    "graph_ndcg_at_10": Metric(0.45, 0.35, 0.55),
    "coverage_at_10": Metric(0.2, 0.2, 0.2),
}
FACTS = Facts(
    family="recommend",
    created_at=1_700_000_000_000,
    metrics=METRICS,
    data=DataStamp("f00d", 1_234, 1_600_000_000_000, 1_650_000_000_000, {"kind": "time"}),
    params={"members": {"graph": {"weight": 1.0}, "trend": {"weight": 0.25}}},
    settings={"fit": {"seed": 20}},
    views={"sequence": "0a1b"},
    commit="c0ffee",
)


def test_metrics_are_grouped_by_contender_in_order_of_their_numbers():
    found = by_contender(METRICS)
    assert list(found) == ["model", "graph"]
    assert list(found["model"]) == ["coverage_at_10", "ndcg_at_5", "ndcg_at_10"]
    assert found["graph"] == {"ndcg_at_10": METRICS["graph_ndcg_at_10"]}


def test_a_table_has_a_row_a_metric_and_a_column_a_contender():
    lines = metric_table(by_contender(METRICS))
    assert len({len(line) for line in lines}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == ["", "model", "graph"]
    assert cells[2] == ["coverage_at_10", "0.2000", "–"]
    assert cells[4] == ["ndcg_at_10", "0.5000 [0.4000, 0.6000]", "0.4500 [0.3500, 0.5500]"]


def test_a_card_states_data_measures_weights_origin_and_limits():
    text = card(FACTS)
    for wanted in (
        "# Recommender of 2023-11-14 22:13 UTC",
        "1,234 events from 2020-09-13 12:26 UTC to 2022-04-15 05:20 UTC",
        "digest `f00d`",
        "split, kind: time",
        "0.5000 [0.4000, 0.6000]",
        "- trend: 0.250",
        "- fit.seed: 20",
        "commit `c0ffee`",
        "feature view sequence: `0a1b`",
        "## Limits",
    ):
        assert wanted in text


def test_a_family_that_says_nothing_of_itself_has_a_card_all_the_same():
    bare = Facts("toy", 0, {}, DataStamp())
    text = card(bare)
    assert text.startswith("# toy of 1970-01-01")
    assert "commit `unknown`" in text
    assert "## Limits" not in text


def test_a_table_has_rows_and_no_times():
    facts = Facts("uplift", 1_700_000_000_000, {}, DataStamp("f00d", 64_000))
    text = card(facts)
    assert "64,000 rows of a table" in text
    assert "1970" not in text
    assert "below 0 it loses them" in text


def test_a_grade_is_told_with_its_reasons():
    tuned = {"grade": "B", "grade_why": ["few rows", "one season"]}
    facts = Facts("churn", 0, METRICS, DataStamp(), settings={"tuned": tuned})
    assert "Quality grade B: few rows; one season." in card(facts)
    assert graded({"tuned": {"grade": "A"}}) == "A"
    assert graded({"tuned": 3}) == graded({}) == ""
    assert "Quality grade" not in card(FACTS)


def test_the_choice_among_contenders_is_told_with_intervals():
    tuned = {
        "choice": "blend",
        "choice.member": 0.1,
        "choice.blend": 0.12,
        "choice.blend_over_member.value": 0.02,
        "choice.blend_over_member.low": 0.01,
        "choice.blend_over_member.high": 0.03,
        "choice.cases": 4715,
        "graph.weight": 1.0,
    }
    assert chosen({"tuned": tuned}) == [
        "- chosen: blend",
        "- member: 0.1",
        "- blend: 0.12",
        "- blend over member: 0.0200 [0.0100, 0.0300]",
        "- cases: 4715",
    ]
    assert chosen({"tuned": {"graph.weight": 1.0}}) == []
    assert chosen({}) == []


def test_what_a_fit_took_and_gave_up_is_told():
    cost = {"seconds": 171.4, "peak_mb": 1063, "given_up": ["ease: no time", "some cases"]}
    settings = {"fit": {"budget_seconds": 180.0}, "cost": cost}
    told = card(replace(FACTS, settings=settings))
    part = told[told.index("## Cost") : told.index("## Settings")]
    assert "- time: 171 s of 180 s\n- memory: 1,063 MB at most\n" in part
    assert part.count("- given up for the budget: ") == 2
    assert "cost." not in told
    unbound = {"fit": {"budget_seconds": None}, "cost": cost | {"given_up": []}}
    assert "- time: 171 s\n" in card(replace(FACTS, settings=unbound))
    assert "## Cost" not in card(FACTS)
