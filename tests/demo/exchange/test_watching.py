"""Watching: lines say what the service answered and what the exchange has in its books."""

import io
from typing import Any

import numpy as np
import pytest

from demo.calls import Service
from demo.exchange.books import Books
from demo.exchange.campaigns import Running
from demo.exchange.supply import HOUSES, Offer, Visitor
from demo.exchange.watching import (
    PROBE,
    Belief,
    Watch,
    belief_of,
    believed,
    spent_by,
    wins_in_truth,
)
from demo.telling import Teller

CAMPAIGNS = [Running("reach-1", "reach", 2_000_000), Running("clicks-1", "clicks", 1_000_000)]


class Desked:
    """Answers where campaigns stand, a little more each time, and the probe."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/v1/bids:decide":
            assert body == PROBE
            return 200, {"bid": 0.4567, "win_probability": 0.512, "confidence": 0.75}
        self.asked += 1
        name = path.split("/")[3]
        return 200, {"spent": self.asked * (0.1 if name == "reach-1" else 0.01)}


def test_beliefs() -> None:
    known = belief_of({"bid": 0.4567, "win_probability": 0.512, "confidence": 0.75})
    assert known == Belief(0.4567, 0.512, 0.75)
    assert str(known) == "0.46 · 51% · 0.75"
    nothing = belief_of({"bid": None, "win_probability": None, "confidence": 0.0})
    assert str(nothing) == "no bid · – · 0.00"


def test_the_probe_is_asked_as_a_test(desk: Any, service: Service) -> None:
    desk.behaviour = Desked()
    assert believed(service).chance == 0.512
    assert desk.seen[0][2]["test"] is True
    assert desk.seen[0][2]["exchange"] == "dawn"


def test_how_often_a_bid_would_have_won() -> None:
    alike = Offer(
        0, 0.0, HOUSES[0], 0, 1, 300_000, np.array([400_000.0, 0.0]), 0.1, 0.5, False, 1.0,
        Visitor("", ""),
    )  # fmt: skip
    offers = [
        alike, alike._replace(others=np.array([600_000.0, 1.0])), alike._replace(floor=550_000),
        alike._replace(others=np.array([100_000.0, 500_000.0])),
        alike._replace(house=HOUSES[1]), alike._replace(site=1),
    ]  # fmt: skip
    assert wins_in_truth(offers, 0.5) == 0.25
    assert wins_in_truth(offers, 0.7) == 1.0
    assert wins_in_truth(offers, None) is None
    assert wins_in_truth(offers[4:], 0.5) is None


def test_spend_is_read_in_micros(desk: Any, service: Service) -> None:
    desk.behaviour = Desked()
    assert spent_by(service, CAMPAIGNS) == (100_000, 20_000)
    assert [path for _, path, _ in desk.seen] == [
        "/v1/campaigns/reach-1/spend", "/v1/campaigns/clicks-1/spend",
    ]  # fmt: skip


async def test_a_line_every_so_often_until_the_time_is_over(
    desk: Any, service: Service, teller: Teller, out: io.StringIO
) -> None:
    desk.behaviour = Desked()
    books = Books(auctions=1_200)
    books.accounts["reach-1"].bids, books.accounts["reach-1"].wins = 600, 150
    watch = Watch(service, teller, CAMPAIGNS, seconds=0.4)
    await watch.run(books, every=0.1)
    assert len(watch.moments) == 4
    assert [moment.at for moment in watch.moments] == sorted(m.at for m in watch.moments)
    assert watch.moments[-1].at == pytest.approx(0.4, abs=0.3)
    assert [moment.spent[0] for moment in watch.moments] == [100_000, 300_000, 500_000, 700_000]
    head, *lines = out.getvalue().splitlines()
    assert "reach / plan" in head
    assert "clicks / plan" in head
    assert len(lines) == 4
    assert "1,200" in lines[-1]
    assert " 50%" in lines[-1]
    assert " 25%" in lines[-1]
    assert "0.700 / 2.000" in lines[-1]
    assert lines[-1].endswith("0.46 · 51% · 0.75")


async def test_the_plan_never_asks_for_more_than_the_budget(
    desk: Any, service: Service, teller: Teller, out: io.StringIO
) -> None:
    desk.behaviour = Desked()
    watch = Watch(service, teller, CAMPAIGNS[:1], seconds=0.01)
    await watch.run(Books(), every=0.01)
    assert "/ 2.000" in out.getvalue()
    assert len(watch.moments) == 1
