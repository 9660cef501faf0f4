"""The home that bids are measured in: sizes and matches are what they are said to be."""

import json

import msgspec

from benchmarks.bid_home import (
    CONSENT,
    LINES_A_CAMPAIGN,
    MATCHING,
    SIZE,
    VENDOR,
    campaigns,
    model,
    request,
    sites_of,
)
from domain import tcf
from models.bidding.ready import ready_of
from service.openrtb.wire import BidRequest
from service.routes.campaign_rows import CampaignIn
from training.fit.bidding.settings import BiddingSettings


def test_as_many_lines_as_are_asked_for_and_ten_match() -> None:
    for lines in (200, 5_000):
        made = campaigns(lines)
        every = [line for one in made for line in one["lines"]]
        assert len(every) == lines == LINES_A_CAMPAIGN * len(made)
        a_site = [sum(f"site-{site}.example" in line["targeting"]["sites"] for line in every)
                  for site in range(sites_of(lines))]  # fmt: skip
        assert MATCHING - 3 <= min(a_site) <= max(a_site) <= MATCHING + 3


def test_campaigns_are_what_the_service_reads() -> None:
    for one in campaigns(40):
        body = {name: value for name, value in one.items() if name != "campaign"}
        msgspec.json.decode(json.dumps(body), type=CampaignIn)


def test_requests_are_of_one_size_with_a_readable_consent() -> None:
    for number in (0, 1, 3_999):
        body = request(number, 17)
        assert len(body) == SIZE
        read = msgspec.json.decode(body, type=BidRequest)
        assert read.user is not None
        assert read.user.consent == CONSENT
        assert read.at == (1 if number % 2 else 2)
    assert tcf.decode(CONSENT).grants(VENDOR, (2, 4))
    assert not tcf.decode(CONSENT).grants(VENDOR + 1, (2, 4))


def test_the_model_is_as_large_as_fits_make_them() -> None:
    trees = ready_of(model()).trees
    assert (trees.cut, len(trees.value)) == (
        BiddingSettings().most_trees, 2 * BiddingSettings().most_trees
    )  # fmt: skip
    assert len(trees.splits) > 100
