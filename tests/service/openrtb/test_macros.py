"""Macros: ours are replaced, the exchange's are left alone."""

from domain.opportunities import Bid
from service.openrtb.macros import fill
from tests.service.openrtb.making import creative


def bid(**changes: object) -> Bid:
    return Bid("b-1", "imp/1", "c-1", "l-1", creative(), "", 1)._replace(**changes)  # type: ignore[arg-type]


def test_ours_are_replaced() -> None:
    text = "${BID_ID}|${IMPRESSION_ID}|${CAMPAIGN_ID}|${LINE_ID}|${CREATIVE_ID}|${CLICK_URL}"
    assert fill(text, bid()) == "b-1|imp/1|c-1|l-1|cr-1|https://shop.example/?a=1"


def test_a_suffix_encodes() -> None:
    assert fill("${CLICK_URL:URL}", bid()) == "https%3A%2F%2Fshop.example%2F%3Fa%3D1"
    assert fill("${IMPRESSION_ID:URL}", bid()) == "imp%2F1"


def test_sizes_are_those_shown() -> None:
    assert fill("${CREATIVE_WIDTH}x${CREATIVE_HEIGHT}", bid()) == "300x250"
    assert fill("${CREATIVE_WIDTH}x${CREATIVE_HEIGHT}", bid(w=640, h=360)) == "640x360"


def test_the_exchanges_pass_through() -> None:
    text = "${AUCTION_PRICE} ${AUCTION_PRICE:B64} ${UNKNOWN} $BID_ID {BID_ID} ${BID_ID"
    assert fill(text, bid()) == text
    assert fill("", bid()) == ""


def test_what_is_put_in_is_not_read_again() -> None:
    assert fill("${BID_ID}${LINE_ID}", bid(id="${LINE_ID}")) == "${LINE_ID}l-1"
