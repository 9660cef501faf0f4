"""The catalogue: every field described, signatures stable."""

import pytest

from feature_store.views import VIEWS, describe, views_named

SIGNATURES = {
    "sequence": "262ea4841df1584e",
    "rfm": "c63f027fc1338ef6",
    "rhythm": "892c5f73d00ee294",
    "session": "8c6ba841e7582a00",
    "breadth": "098f1e7345f3e7a8",
    "goods": "d40eaff286315484",
}


def test_signatures_are_those_of_released_models() -> None:
    # A change here orphans every released model: raise the view's version on purpose only.
    assert {name: view.signature for name, view in VIEWS.items()} == SIGNATURES


def test_every_field_is_described_with_unit_dtype_and_default() -> None:
    rows = describe()
    assert {row["view"] for row in rows} == set(VIEWS)
    for row in rows:
        assert row["unit"], row
        assert len(str(row["description"])) > 10, row
        assert isinstance(row["default"], int | float)


def test_views_are_found_by_name() -> None:
    assert [view.name for view in views_named(["rfm", "sequence"])] == ["rfm", "sequence"]
    with pytest.raises(KeyError, match="nonesuch"):
        views_named(["nonesuch"])
