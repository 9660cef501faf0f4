import pytest

from models.churn.sentences import MANNERS, TEMPLATES, UNITS, UNKNOWN, line, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (41.4, "41"),
        (9.0, "9"),
        (9.96, "10"),
        (1.25, "1.2"),
        (0.333, "0.33"),
        (0.999, "1"),
        (0.0, "0"),
        (-0.001, "0"),
        (-3.5, "-3.5"),
        (1234.5, "1234"),
        (0.5, "0.5"),
    ],
)
def test_numbers_as_people_write_them(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("manner", "value", "text"),
    [
        ("days", 1.0, "1 day"),
        ("days", 41.0, "41 days"),
        ("orders", 0.0, "0 orders"),
        ("percent", 0.425, "42 %"),
        ("money", 1234.5, "1,234.50"),
        ("than", -0.5, "fewer than"),
        ("than", 0.5, "more than"),
        ("than", 0.0, "about as many as"),
        ("level", -1.0, "below"),
        ("oftener", 0.042, "4.2 points more often than usual"),
        ("oftener", -0.3, "30 points less often than usual"),
        ("oftener", 0.001, "as often as usual"),
        ("much", 0.7, "more than usual"),
    ],
)
def test_manners(manner, value, text):
    assert MANNERS[manner](value) == text


def test_a_line_is_cut_at_its_features():
    cut = line("no order for {recency:days}; usual is {gap:number}")
    assert cut.features == ("recency", "gap")
    assert cut.say([41.0, 9.0]) == "no order for 41 days; usual is 9"
    assert line("{a:days}").say([2.0]) == "2 days"


def test_a_line_without_its_number_is_not_said():
    with pytest.raises(ValueError, match="argument"):
        line("no order for {recency:days}").say([])


@pytest.mark.parametrize("group", TEMPLATES)
def test_every_template_can_be_said(group):
    assert group in UNKNOWN
    for one in TEMPLATES[group]:
        said = one.say([2.0] * len(one.features))
        assert one.features
        assert "{" not in said
        assert "}" not in said


def test_units_lead_to_manners():
    assert set(UNITS.values()) <= set(MANNERS)
