"""Caps, creatives and flights of a campaign."""

from dataclasses import replace

from domain.campaigns import NO_END, Campaign, Creative, Flight, LineItem

CREATIVES = (Creative("a"), Creative("b", active=False), Creative("c"))
CAMPAIGN = Campaign("c1", max_bid=5_000, creatives=CREATIVES)


def test_a_line_may_lower_the_cap_and_never_raise_it() -> None:
    assert CAMPAIGN.cap_of(LineItem("l", 1)) == 5_000
    assert CAMPAIGN.cap_of(LineItem("l", 1, max_bid=3_000)) == 3_000
    assert CAMPAIGN.cap_of(LineItem("l", 1, max_bid=9_000)) == 5_000


def test_a_line_shows_all_active_creatives_or_those_it_names() -> None:
    names = [one.creative for one in CAMPAIGN.creatives_of(LineItem("l", 1))]
    assert names == ["a", "c"]
    named = CAMPAIGN.creatives_of(LineItem("l", 1, creatives=("c", "b")))
    assert [one.creative for one in named] == ["c"]


def test_the_start_of_a_flight_is_in_and_its_end_out() -> None:
    flight = Flight(10, 20)
    assert [flight.holds(now) for now in (9, 10, 19, 20)] == [False, True, True, False]
    assert Flight().holds(0)
    assert Flight().holds(NO_END - 1)


def test_a_campaign_lives_while_it_is_active_and_in_flight() -> None:
    assert CAMPAIGN.lives(5)
    assert not replace(CAMPAIGN, active=False).lives(5)
    assert not replace(CAMPAIGN, flight=Flight(6)).lives(5)
