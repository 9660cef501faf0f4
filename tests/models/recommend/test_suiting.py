"""Content proposes to explore what it alone speaks for, and says beforehand whether it can."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from domain.events import KINDS, Kind
from domain.ids import hash64
from domain.items import Item
from domain.slates import Fallback
from models.recommend.ask import NOBODY, Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.content import Content
from models.recommend.desk import Desk
from models.recommend.exploring import (
    NEAR,
    NEW_SHARE,
    NO_NEWCOMERS,
    SUITING_SHARE,
    Dice,
    Explored,
    Newcomers,
    Question,
    explore,
    planned,
    room_for,
)
from models.recommend.filters import Filter
from models.recommend.model import RecommendModel
from models.recommend.policy import recommend
from models.recommend.popularity import Popularity
from models.recommend.suiting import SUITING, proposals, suited
from tests.models.recommend.small import AS_OF
from tests.models.recommend.small_content import encoder_of

N = 80
IDS = tuple(f"i{number:02}" for number in range(N))


def desk_of(n: int = N) -> Desk:
    """Everybody wants the first items; every fourth is of the workshop, the rest of the kitchen."""
    vectors = np.array([[0, 1] if number % 4 == 0 else [1, 0] for number in range(n)], np.float32)
    encoder = encoder_of(kitchen=(1.0, 0.0), workshop=(0.0, 1.0))
    content = Content(encoder, vectors, vectors, np.eye(2), (0.5, 0.5))
    wanted = Popularity(np.arange(n, 0, -1) ** 2.0, None)
    model = RecommendModel(
        IDS[:n], np.array([hash64(one) for one in IDS[:n]], np.uint64),
        ("popularity", "content"), (wanted, content), np.array([1.0, 0.0], np.float32),
        np.ones(KINDS, np.float32),
    )  # fmt: skip
    return Desk(Catalogue(model.items, model.hashes), model, "m")


def who(*names: str) -> Asker:
    hashes = np.array([hash64(name) for name in names], np.uint64)
    count = len(names)
    return Asker(
        Origin.user, hashes, np.full(count, Kind.click, np.uint8),
        np.full(count, AS_OF - 9, np.int64),
    )  # fmt: skip


def draw(desk: Desk, asker: Asker, seed: int, k: int = 10, newcomers=NO_NEWCOMERS) -> Explored:
    ask, dice = Ask(k=k), Dice(seed)
    plan = planned(0.1, ask, dice)
    slate = recommend(desk, replace(ask, k=k + room_for(plan, ask)), asker, AS_OF)
    return explore(Question(desk, ask, asker, AS_OF), slate, newcomers, plan, dice)


def test_it_proposes_what_is_alike_and_was_neither_taken_nor_seen():
    desk, ask, asker = desk_of(), Ask(k=10, item="i08"), who("i76", "i04")
    suits = suited(desk, ask, asker, AS_OF, 20)
    assert suits is not None
    found = proposals(desk, ask, asker, suits, IDS[:3])
    wanted = [row for row in range(N) if row % 4 == 0 and row not in (0, 4, 8, 76)]
    assert found.tolist() == wanted[:SUITING]


def test_it_proposes_nothing_where_it_cannot_be_sure_to():
    desk, ask, asker = desk_of(), Ask(k=10), who("i04")
    assert suited(desk, ask, asker, AS_OF, 20) is not None
    assert suited(desk, ask, NOBODY, AS_OF, 20) is None
    assert suited(desk, ask, who("unheard of"), AS_OF, 20) is None, "nothing it can hear"
    assert suited(desk, Ask(k=10, chosen=Filter(deny=("i70",))), asker, AS_OF, 20) is None
    few = desk_of(24)
    assert suited(few, ask, asker, AS_OF, 12) is not None
    assert suited(few, ask, asker, AS_OF, 13) is None, "ten might not be left"
    bare = desk_of()
    bare.arrivals = None
    assert suited(bare, ask, asker, AS_OF, 20) is None


def test_places_are_filled_with_the_probabilities_that_are_told():
    desk, asker, rounds = desk_of(), who("i76"), 6_000
    drawn, told = Counter[str](), dict[str, float]()
    for seed in range(rounds):
        found = draw(desk, asker, seed)
        assert found.places == (9,)
        drawn[found.slate.ids[9]] += 1
        told[found.slate.ids[9]] = found.propensities[9]
    assert sum(told.values()) == pytest.approx(1.0), "nothing else may come"
    for name, odds in told.items():
        assert drawn[name] / rounds == pytest.approx(odds, abs=4 * (odds / rounds) ** 0.5)
    near = set(recommend(desk, Ask(k=10 + NEAR), asker, AS_OF).ids[10:])
    suiting = {name: odds for name, odds in told.items() if name not in near}
    assert sum(suiting.values()) == pytest.approx(SUITING_SHARE)
    assert len(suiting) == SUITING
    assert all(int(name[1:]) % 4 == 0 for name in suiting)


def test_new_items_keep_their_share_beside_them():
    desk = desk_of()
    for number in range(4):
        desk.catalogue.put(Item(f"new{number}", categories=("workshop",), created_at=AS_OF - 5))
    newcomers = Newcomers(np.arange(N, N + 4, dtype=np.int32))
    kinds = Counter[str]()
    for seed in range(4_000):
        found = draw(desk, who("i76"), seed, newcomers=newcomers)
        kinds[found.slate.marks[9]] += 1
        if found.slate.ids[9].startswith("new"):
            assert found.propensities[9] >= NEW_SHARE / 4
    assert kinds[Fallback.newest] / 4_000 == pytest.approx(NEW_SHARE, abs=0.03)
    assert kinds[Fallback.similar] / 4_000 == pytest.approx(SUITING_SHARE, abs=0.03)


def test_what_is_left_over_is_the_last_kinds():
    """A list that fills all that may be asked for has no near misses: the rest goes to content."""
    desk, asker, ask, dice = desk_of(), who("i76"), Ask(k=10), Dice(3)
    plan = planned(0.5, ask, dice)
    slate = recommend(desk, ask, asker, AS_OF)
    found = explore(Question(desk, ask, asker, AS_OF), slate, NO_NEWCOMERS, plan, dice)
    assert found.places == (5, 6, 7, 8, 9)
    assert len(set(found.slate.ids)) == 10
    assert [round(1 / found.propensities[at]) for at in (9, 8, 7, 6, 5)] == [10, 9, 8, 7, 6]
