"""The table of prices: every line with every creative has its row, and what moves is filled in."""

from typing import Any

import numpy as np

from domain.campaigns import Aim, Objective
from models.bidding.columns import own_codes
from models.bidding.model import no_model
from models.bidding.pricing import TABLE
from models.bidding.ready import ready_of
from models.bidding.value import AIMS
from service.openrtb.table import PriceTable, lay_out
from tests.service.openrtb.making import creative, line_of


def lines() -> list[Any]:
    return [
        line_of(creative(), creative(creative="cr-2"), campaign="a"),
        line_of(campaign="b", objective=Objective(Aim.cpa, 40_000_000)),
        line_of(campaign="a", line={"line": "l-2"}),
    ]


def test_lines_know_their_rows() -> None:
    placed, table = lay_out(lines())
    assert [ready.first for ready in placed] == [0, 2, 3]
    assert table.rows.shape == (4, len(TABLE))
    assert (table.campaigns, table.owners.tolist()) == (("a", "b"), [0, 0, 1, 0])
    assert table.rows[:, TABLE.index("line")].tolist() == [0, 0, 1, 2]


def test_a_row_says_what_the_campaign_wants_and_its_own_words() -> None:
    placed, table = lay_out(lines())
    row = table.rows[2]
    assert (row[0], row[1]) == (AIMS["cpa"], 40_000_000)
    every = [(ready, one) for ready in placed for one in ready.creatives]
    for place, (ready, one) in enumerate(every):
        codes = own_codes(ready.campaign.campaign, ready.line.line, one.creative.creative)
        assert table.codes[place].tolist() == codes.tolist()


def test_what_moves_is_filled_in_by_campaign() -> None:
    _, table = lay_out(lines())
    table.fill(lambda name: (7.0, 1.1, 1.2, 0.5) if name == "b" else (0.0, 1.0, 1.0, 2.0))
    at = {name: TABLE.index(name) for name in ("worth", "click", "conversion", "pace")}
    assert [table.rows[2, at[name]] for name in at] == [7.0, 1.1, 1.2, 0.5]
    assert table.rows[:, at["pace"]].tolist() == [2.0, 2.0, 0.5, 2.0]
    # The aim and its target stay.
    assert table.rows[2, 1] == 40_000_000


def test_a_model_is_asked_about_every_row() -> None:
    _, table = lay_out(lines())
    model = ready_of(no_model())
    table.ask(model)
    assert table.model is model
    assert table.patterns.shape == (4, 0)
    doubts = table.rows[:, TABLE.index("click_doubt")]
    np.testing.assert_allclose(doubts, model.lines(table.codes)[1][:, 0])
    assert (doubts > 0).all()


def test_without_lines_there_is_nothing() -> None:
    placed, table = lay_out([])
    assert (placed, len(table.rows)) == ((), 0)
    table.fill(lambda name: (1.0, 1.0, 1.0, 1.0))
    table.ask(ready_of(no_model()))
    assert PriceTable().rows.shape == (0, len(TABLE))
