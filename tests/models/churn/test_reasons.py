import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.scores import Direction
from models.churn.reasons import REST, Teller, teller_of

FEATURES = (
    ("recency", "recency", "days"),
    ("silent_days", "recency", "days"),
    ("order_gap_mean", "rhythm", "days"),
    ("support", "service", "events"),
    ("items", "breadth", "items"),
    ("contract", "attributes", "category"),
    ("seats", "attributes", "count"),
    ("moon_phase", "astrology", "share"),
)
NAMES = [name for name, _, _ in FEATURES]
VALUES = np.array([41.0, 12.0, 9.0, 3.0, 7.0, 2.0, 5.0, 0.5])


def told(values=VALUES, most=9, typical=None, shown=None, **contributions):
    row = np.array([*(contributions.get(name, 0.0) for name in NAMES), -0.7])
    return teller_of(FEATURES, typical).reasons(row, values, most=most, shown=shown)


def without(*names):
    return np.array([np.nan if n in names else v for n, v in zip(NAMES, VALUES, strict=True)])


def test_a_sentence_with_the_value_and_its_reference():
    (reason,) = told(recency=0.8)
    assert reason == (
        "recency",
        "no order for 41 days; their usual gap is 9",
        Direction.raises,
        1.0,
        41.0,
        9.0,
        0.8,
    )


def test_without_the_reference_the_sentence_does_without():
    (reason,) = told(without("order_gap_mean"), recency=0.8)
    assert (reason.text, reason.value, reason.reference) == ("no order for 41 days", 41.0, None)


def test_what_is_usual_is_told_where_there_is_no_own_reference():
    (reason,) = told(typical={"items": 12.0}, items=-0.2)
    assert reason.text == "buys 7 items; 12 items is usual"
    assert (reason.direction, reason.value, reason.reference) == (Direction.lowers, 7.0, 12.0)


def test_an_unknown_group_of_numbers_is_said_to_be_unknown():
    (reason,) = told(without("recency", "silent_days"), recency=0.3)
    assert (reason.text, reason.value) == ("no order is known", None)
    (reason,) = told(without("moon_phase"), moon_phase=0.3)
    assert reason.text == "moon phase is not known"


def test_the_loudest_line_of_a_group_is_said():
    (reason,) = told(recency=0.1, silent_days=0.6)
    assert reason.text == "nothing heard for 12 days"
    # The group lowers the risk as a whole, so the feature that raises it is not its reason.
    (reason,) = told(recency=0.5, silent_days=-0.6)
    assert reason.text == "nothing heard for 12 days"
    assert reason.direction is Direction.lowers


def test_attributes_are_reasons_of_their_own():
    found = told(contract=0.5, seats=0.3, shown={"contract": "month to month"})
    assert [reason.text for reason in found] == ["contract is month to month", "seats is 5"]
    assert {reason.group for reason in found} == {"attributes"}


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "plan is gold"), (0.0, "plan is not gold"), (np.nan, "plan is not known")],
)
def test_a_category_is_told_by_its_name(value, text):
    teller = teller_of([("attribute.plan=gold", "attribute.plan", "")])
    (reason,) = teller.reasons(np.array([0.5, 0.0]), np.array([value]))
    assert reason[:2] == ("attribute.plan", text)
    assert (reason.value, reason.reference) == (None, None)


def test_a_number_among_attributes_is_told_beside_what_is_usual():
    teller = teller_of([("attribute.team_size", "attribute.team_size", "")],
                       {"attribute.team_size": 4.0})  # fmt: skip
    (reason,) = teller.reasons(np.array([0.5, 0.0]), np.array([7.0]))
    assert reason.text == "team size is 7; 4 is usual"


def test_a_group_without_templates_is_told_by_its_loudest_feature():
    assert told(moon_phase=0.2)[0].text == "moon phase is 50 %"


def test_small_ones_are_summed_into_the_rest():
    found = told(most=1, recency=0.6, items=-0.3, seats=0.1)
    assert [reason.group for reason in found] == ["recency", REST]
    assert found[1].text == "2 smaller influences together"
    assert found[1].direction is Direction.lowers
    assert found[1].share == pytest.approx(0.4)
    assert told(most=2, recency=0.6, items=-0.3, seats=0.1)[2].text.startswith(
        "1 smaller influence "
    )


def test_no_contribution_is_no_reason():
    assert told() == ()


def test_ties_keep_the_order_of_the_features():
    found = told(items=0.2, support=-0.2, recency=0.2)
    assert [reason.group for reason in found] == ["recency", "service", "breadth"]


parts = st.lists(st.one_of(st.just(0.0), st.floats(-5, 5)), min_size=8, max_size=8)
places = st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=8, max_size=8)


@given(parts, places, st.integers(0, 9))
def test_reasons_add_up_whatever_is_known(contributions, values, most):
    row = np.array([*contributions, 0.4])
    teller = teller_of(FEATURES)
    found = teller.reasons(row, np.array(values), most=most)
    assert sum(reason.contribution for reason in found) == pytest.approx(row[:-1].sum(), abs=1e-9)
    if found:
        assert sum(reason.share for reason in found) == pytest.approx(1.0)
    assert len(found) <= most + 1
    sizes = [abs(reason.contribution) for reason in found if reason.group != REST]
    assert sizes == sorted(sizes, reverse=True)
    assert all(reason.text for reason in found)
    for reason in found:
        assert reason.contribution == 0 or (reason.contribution > 0) == (
            reason.direction is Direction.raises
        )
    assert teller.reasons(row, np.array(values), most=most) == found


def test_many_rows_are_grouped_as_each_alone():
    rows = np.random.default_rng(0).normal(size=(50, 9))
    teller = teller_of(FEATURES)
    sums = teller.grouped(rows)
    assert sums.shape == (50, len(teller.labels))
    np.testing.assert_allclose(sums.sum(1), rows[:, :-1].sum(1), 0, 1e-12)
    for row, one in zip(rows, sums, strict=True):
        assert teller.told(one, row, VALUES) == teller.reasons(row, VALUES)


def test_every_feature_is_in_one_group():
    teller = teller_of(FEATURES)
    assert sorted(place for one in teller.members for place in one) == list(range(len(FEATURES)))
    assert teller.labels.count("attributes") == 2


def test_rows_of_another_width_are_refused():
    with pytest.raises(ValueError, match="8 features"):
        teller_of(FEATURES).grouped(np.zeros((1, 8)))


@pytest.mark.parametrize("names", [(), ("a", "a"), ("a",)])
def test_features_must_be_told_apart(names):
    with pytest.raises(ValueError, match="feature"):
        Teller(names, ("g",) * (2 if names == ("a",) else len(names)), ("u",) * len(names))
