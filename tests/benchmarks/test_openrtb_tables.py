"""The tables: what is drawn from them fits them, and what is made wrong is named."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.openrtb_tables import TABLES, Drawer, attributes_of, faults

GOOD = {"id": "r", "imp": [{"id": "1", "banner": {}}]}


@given(seed=st.integers(0, 2**32), often=st.floats(0, 1))
def test_what_is_drawn_fits(seed: int, often: float) -> None:
    drawn = Drawer(Random(seed), often / 2).request()
    assert faults("BidRequest", drawn) == []
    assert len({imp["id"] for imp in drawn["imp"]}) == len(drawn["imp"])
    assert sum(name in drawn for name in ("site", "app", "dooh")) <= 1


def test_everything_there_is_can_be_drawn() -> None:
    seen: set[str] = set()
    drawer = Drawer(Random(5), 0.8)
    plain = drawer.draw

    def watch(name: str) -> dict[str, object]:
        drawn = plain(name)
        seen.update(f"{name}.{attribute}" for attribute in drawn)
        return drawn

    drawer.draw = watch
    for _ in range(30):
        drawer.request()
    assert seen == {
        f"{name}.{attribute[0]}" for name in TABLES for attribute in attributes_of(name)
    }


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"id": ""}, ".id is empty"), ({"id": None}, ".id is missing"),
        ({"id": 7}, ".id is no str"),
        ({"imp": []}, ".imp is empty"), ({"imp": {}}, ".imp is no array"),
        ({"imp": [7]}, ".imp is no object"), ({"at": 1.5}, ".at is no int"),
        ({"at": True}, ".at is no int"), ({"ext": "x"}, ".ext is no object"),
        ({"regs": {"ext": {"gdpr": "1"}}}, ".regs.ext.gdpr is no int"),
        ({"user": {"ext": {"consent": 2}}}, ".user.ext.consent is no str"),
        ({"source": {"ext": {"schain": {}}}}, ".source.ext.schain.complete is missing"),
    ],
)  # fmt: skip
def test_faults_are_named(change: dict[str, object], what: str) -> None:
    assert faults("BidRequest", GOOD) == []
    assert what in faults("BidRequest", {**GOOD, **change})


def test_null_and_unknown_are_no_faults() -> None:
    assert faults("BidRequest", {**GOOD, "site": None, "new": [1], "user": {"ext": {"x": 1}}}) == []
