"""Gathered in one call is what would have been found one by one."""

from random import Random
from typing import Any

import numpy as np
import pytest

from domain.currencies import REFERENCE
from service.openrtb.candidates import find_candidates
from service.openrtb.gathering import Gatherer, Recent
from service.openrtb.table import lay_out
from tests.service.openrtb.making import VIDEO, always, auction, creative, imp, line_of, video


def gathered(offered: Any, lines: Any, gatherer: Gatherer | None = None) -> Any:
    """Answer (campaign, creatives' shape, standard, cap, floor) of all that may be bid."""
    gatherer = gatherer or Gatherer(lay_out(lines)[0])
    every = np.arange(len(gatherer.lines), dtype=np.int32)
    found = gatherer.gather(offered, every, REFERENCE)
    if found is None:
        return None
    rows = []
    for asked in found.asked.tolist():
        candidate, place = gatherer.candidate(asked, offered, found)
        rows.append(
            (candidate.ready.line.line, candidate.group.creatives[place].creative.creative,
             candidate.standard, candidate.cap, candidate.offer.terms.floor)
        )  # fmt: skip
    return sorted(rows)


def listed(offered: Any, lines: Any) -> Any:
    found = find_candidates(offered, lay_out(lines)[0], REFERENCE, always)
    return sorted(
        (one.ready.line.line, each.creative.creative, one.standard, one.cap, one.offer.terms.floor)
        for one in found.candidates
        for each in one.group.creatives
    )


def drawn_line(rng: Random, number: int) -> Any:
    creatives = [
        creative(
            creative=f"c{place}", width=rng.choice([300, 728]), height=rng.choice([250, 90]),
            domains=(rng.choice(["shop.example", "tea.test"]),), secure=rng.random() < 0.8,
            categories=(rng.choice(["IAB1", "IAB22-1"]),), attributes=rng.choice([(), (3,)]),
        )
        for place in range(rng.randint(1, 4))
    ]  # fmt: skip
    creatives += [video(creative="v")] if rng.random() < 0.4 else []
    return line_of(
        *creatives, campaign=f"k{number}", currency=rng.choice(["USD", "EUR", "XYZ"]),
        max_bid=rng.choice([900_000, 5_000_000]),
        line={"line": f"l{number}", "open_market": rng.random() < 0.9},
    )  # fmt: skip


def drawn_auction(rng: Random) -> Any:
    part = rng.choice([
        {"banner": {"w": 300, "h": 250, "battr": rng.choice([[], [3]])}},
        {"banner": {"format": [{"w": 728, "h": 90}, {"w": 300, "h": 250}]}},
        {"video": {**VIDEO, "w": 640, "h": 360, "mincpmpersec": rng.choice([0, 0.05])}},
    ])  # fmt: skip
    return auction(
        imp(**part, bidfloor=rng.choice([0, 0.5, 2]), bidfloorcur=rng.choice(["USD", "GBP"]),
            secure=rng.choice([0, 1])),
        badv=rng.choice([[], ["shop.example"]]), bcat=rng.choice([[], ["IAB1"]]),
        cur=rng.choice([["USD"], ["EUR"]]),
    )  # fmt: skip


def test_the_same_as_one_by_one() -> None:
    rng = Random(11)
    some = 0
    for _ in range(60):
        lines = [drawn_line(rng, number) for number in range(6)]
        gatherer = Gatherer(lay_out(lines)[0])
        # The same board again and again: what is remembered must not leak between requests.
        for _ in range(8):
            offered = drawn_auction(rng)
            wanted = listed(offered, lines)
            assert gathered(offered, lines, gatherer) == wanted
            some += bool(wanted)
    assert some > 150


def test_only_lines_that_match_are_gathered() -> None:
    lines, _ = lay_out([line_of(line={"line": f"l{n}"}) for n in range(4)])
    gatherer = Gatherer(lines)
    found = gatherer.gather(auction(), np.array([1, 3], np.int32), REFERENCE)
    assert found is not None
    assert found.asked[:, 0].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    "offered",
    [
        auction(imp("1"), imp("2")),
        auction(imp(pmp={"deals": [{"id": "d"}]})),
        auction(imp(pmp={"private_auction": 1})),
        auction(imp(video={**VIDEO, "podid": "p"})),
        auction(imp(bidfloor=1, bidfloorcur="XYZ")),
        auction(imp(bidfloor=1e12)),
    ],
    ids=["two", "deal", "private", "pod", "currency", "out of reach"],
)
def test_what_is_more_than_the_open_market_is_left_to_others(offered: Any) -> None:
    assert gathered(offered, [line_of()]) is None


def test_nothing_is_gathered_of_nothing() -> None:
    assert gathered(auction(), []) == []
    assert gathered(auction(), [line_of(creative(width=9))]) == []


def test_lines_that_do_not_know_their_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="rows"):
        Gatherer((line_of(), line_of()))


def test_what_was_put_first_makes_room() -> None:
    held: Recent[str, int] = Recent(2)
    for number, key in enumerate("abc"):
        held.put(key, number)
    assert [held.get(key) for key in "abc"] == [None, 1, 2]


def test_what_was_asked_for_lately_stays() -> None:
    held: Recent[str, int] = Recent(2)
    held.put("a", 0)
    held.put("b", 1)
    assert held.get("a") == 0
    held.put("c", 2)
    assert [held.get(key) for key in "abc"] == [0, None, 2]


def test_what_is_too_large_to_remember_goes_the_long_way() -> None:
    assert gathered(auction(imp()), [line_of()]) != []
    assert gathered(auction(imp(), badv=[f"b{n}.test" for n in range(2_000)]), [line_of()]) is None
    formats = [{"w": n + 1, "h": 9} for n in range(2_000)]
    assert gathered(auction(imp(banner={"format": formats})), [line_of()]) is None


def test_more_rows_than_there_is_room_for_go_the_long_way() -> None:
    lines = [line_of(line={"line": f"l{n}"}) for n in range(4_100)]
    assert gathered(auction(), lines) is None
    assert len(gathered(auction(), lines[:100])) == 100
