"""The rehearsal goes the whole way, and leaves nothing to be compiled for the first auction."""

from typing import Any

import pytest

from models.bidding import drawing, gathering, pricing, targeting
from service.bid_rehearsal import CAMPAIGN, auctions, rehearse

KERNELS: dict[str, Any] = {
    "price_rows": pricing.price_rows,
    "draw_arms": drawing.draw_arms,
    "gather": gathering.gather,
    "find_lines": targeting.find_lines,
}


def test_it_bids_in_every_auction_it_makes_up() -> None:
    assert rehearse() == 4
    assert [auction.at for auction in auctions()] == [1, 2]
    assert CAMPAIGN.lines[0].bid <= CAMPAIGN.max_bid


@pytest.mark.parametrize("name", KERNELS)
def test_again_nothing_new_is_compiled(name: str) -> None:
    rehearse()
    before = list(KERNELS[name].signatures)
    assert before
    rehearse()
    assert list(KERNELS[name].signatures) == before
