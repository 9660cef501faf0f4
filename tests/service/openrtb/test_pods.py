"""Pods: what may stand beside each other in one break."""

from typing import Any

from domain.opportunities import Spot
from service.openrtb.pods import MAX_IN_POD, PodBook, most_bids
from tests.service.openrtb.making import VIDEO, opportunity, ready, video


def spot(**rules: Any) -> Spot:
    return opportunity(video={**VIDEO, **rules}).spots[0]


def test_outside_a_pod_anything_goes() -> None:
    book, plain = PodBook(), spot()
    for _ in range(3):
        assert book.takes("1", plain, ready(video()))
        book.note("1", plain, ready(video()))
    assert most_bids(plain) == 1


def test_no_advertisement_twice_in_one_break() -> None:
    book, slot = PodBook(), spot(podid="p", slotinpod=1)
    book.note("1", slot, ready(video()))
    assert not book.takes("2", slot, ready(video()))
    assert book.takes("2", slot, ready(video(creative="v-2")))
    assert book.takes("2", spot(podid="q"), ready(video()))
    # For the same slot it is another offer, of which one is taken at most.
    assert book.takes("1", slot, ready(video()))
    assert most_bids(slot) == 1


def test_a_dynamic_break_holds_so_many_and_so_long() -> None:
    book, part = PodBook(), spot(podid="p", poddur=60, maxseq=3)
    assert most_bids(part) == 3
    for number in range(3):
        one = ready(video(creative=f"v-{number}", duration_ms=14_500))
        assert book.takes("1", part, one)
        book.note("1", part, one)
    assert not book.takes("1", part, ready(video(creative="v-9", duration_ms=1_000)))
    assert not book.takes("1", part, ready(video(creative="v-0", duration_ms=1_000)))


def test_lengths_add_up_as_they_are_told() -> None:
    book, part = PodBook(), spot(podid="p", poddur=30)
    assert most_bids(part) == MAX_IN_POD
    book.note("1", part, ready(video(duration_ms=14_100)))
    assert not book.takes("1", part, ready(video(creative="v-2", duration_ms=15_100)))
    assert book.takes("1", part, ready(video(creative="v-2", duration_ms=15_000)))


def test_what_exchanges_want_apart() -> None:
    same = {"creative": "v-2", "duration_ms": 5_000}
    for rule, apart in ((1, {"domains": ("x.test",)}), (2, {"categories": ("IAB1",)})):
        book, part = PodBook(), spot(podid="p", poddur=60, poddedupe=[rule])
        book.note("1", part, ready(video()))
        assert not book.takes("1", part, ready(video(**same)))
        assert book.takes("1", part, ready(video(**same, **apart)))
    free = spot(podid="p", poddur=60, poddedupe=[5])
    book = PodBook()
    book.note("1", free, ready(video()))
    assert book.takes("1", free, ready(video(**same)))
