"""Reception fades, counts places without fading, and stays within its bounds."""

import numpy as np

from models.bandits.evidence import COUNT, REWARD
from models.recommend.mixes import ARMS
from models.recommend.reception import ELSEWHERE, MOST_PAGES, MOST_PLACED, Reception

NOW = 1_760_000_000_000


def with_pages(*names):
    known = Reception(at=NOW)
    return Reception(at=NOW, pages=known.pages.grown([("", name) for name in names]))


def test_evidence_halves_and_places_do_not():
    before = with_pages("home").with_placed({9: 4, 3: 2})
    for array in before.pages.evidence:
        array[:] = 8.0
    after = before.faded(NOW + 2_000, 1_000.0)
    assert all((array == 2.0).all() for array in after.pages.evidence)
    assert (after.items.tolist(), after.placed.tolist()) == ([3, 9], [2, 4])
    assert before.faded(NOW - 5, 1_000.0) is before
    assert after.rewards == 2.0 * len(ARMS)


def test_places_add_up_and_the_least_placed_begin_again():
    some = Reception().with_placed({5: 1}).with_placed({5: 2, 2**64 - 1: 7})
    assert dict(zip(some.items.tolist(), some.placed.tolist(), strict=True)) == {5: 3, 2**64 - 1: 7}
    assert some.with_placed({}) is some
    many = Reception().with_placed(dict.fromkeys(range(MOST_PLACED + 10), 2))
    more = many.with_placed({MOST_PLACED + 100: 3})
    assert len(more.items) == MOST_PLACED
    assert MOST_PLACED + 100 in more.items
    assert np.all(np.diff(more.items.astype(np.int64)) > 0)


def test_invented_pages_do_not_keep_real_ones_out():
    full = with_pages(*(f"p{number}" for number in range(MOST_PAGES)))
    full.pages.evidence.tallies[: len(ARMS), COUNT] = 5.0
    assert full.page_of("p3") == "p3"
    assert full.page_of("another") == ELSEWHERE
    kept = full.bounded()
    assert len(kept.pages.names) == MOST_PAGES - 1
    assert ("", "p0") in kept.pages.names
    assert kept.page_of("another") == "another"
    assert Reception().page_of("x" * 65) == ELSEWHERE


def test_a_worker_signs():
    told = Reception().signed("w", 3, NOW)
    assert (told.number_of("w"), told.number_of("v")) == (3, 0)
    assert Reception().pages.evidence.tallies[:, REWARD].sum() == 0.0
