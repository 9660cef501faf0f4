"""Lore comes back from its bytes; anything else is refused, and faults reach no further."""

import json
import struct
from dataclasses import replace
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bidding.lore import MOST_PAIRS, HalfLives, Lore
from models.bidding.lore_format import MAGIC, MOST_BYTES, pack_lore, read_lore
from models.bidding.teaching import teach
from models.bidding.tidings import BILL, LOSS, WIN, Clicked, Impression, Lessons, draw
from tests.models.bidding.schooling import FEATURES, GROUND, NOW, told


def some():
    lessons = Lessons()
    for number in range(40):
        price = 500_000 + 10_000 * number
        draw(told(WIN, price, at=2, exchange=f"x{number % 3}"), lessons, bills_are_wins=False)
        draw(told(LOSS, arm=number % 5, campaign="c2"), lessons, bills_are_wins=False)
        draw(told(BILL, spent=600), lessons, bills_are_wins=False)
    lessons.impressions.append(Impression("c2", "cr", FEATURES, 0.5, 10, False))
    lessons.clicks.append(Clicked("c1", "cr", FEATURES, 0.01, 0.1, 5_000))
    lore, refused = teach(Lore(at=NOW, centre=13.8), lessons, GROUND, taken_up=5, lives=HalfLives())
    assert refused == 0
    return lore.signed("worker", 7, NOW)


def same(one, other):
    for name in Lore.__slots__:
        mine, theirs = getattr(one, name), getattr(other, name)
        if name in ("multipliers", "creatives"):
            assert (mine.names, mine.rows) == (theirs.names, theirs.rows)
            pairs = zip(mine.evidence, theirs.evidence, strict=True)
        elif name == "market":
            assert (mine is None) == (theirs is None)
            if mine is None:
                continue
            assert (*mine[:3], mine.count) == (*theirs[:3], theirs.count)
            pairs = [(mine.precision, theirs.precision), (mine.shift, theirs.shift)]
        elif isinstance(mine, np.ndarray):
            pairs = [(mine, theirs)]
        else:
            assert mine == theirs, name
            continue
        for left, right in pairs:
            np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12)


def test_lore_comes_back():
    lore = some()
    held = pack_lore(lore)
    assert held[:4] == MAGIC
    assert len(held) < 100_000, "a few exchanges and campaigns are small"
    same(read_lore(held), lore)
    same(read_lore(pack_lore(Lore())), Lore())
    assert read_lore(held).workers == {"worker": (7, NOW)}


def test_what_was_read_may_be_taught_on():
    lore = read_lore(pack_lore(some()))
    lessons = Lessons()
    draw(told(WIN, 700_000), lessons, bills_are_wins=False)
    draw(told(BILL, spent=5), lessons, bills_are_wins=False)
    taught, refused = teach(lore, lessons, GROUND, taken_up=5, lives=HalfLives())
    assert refused == 0
    assert taught.market.count == lore.market.count + 1


@given(st.binary(max_size=200))
def test_anything_else_is_refused(junk):
    for held in (junk, MAGIC + junk):
        with pytest.raises(ValueError, match="lore"):
            read_lore(held)


def test_every_changed_byte_shows():
    held = bytearray(pack_lore(some()))
    for place in [*range(30), *range(30, len(held), 997)]:
        broken = bytearray(held)
        broken[place] ^= 0x41
        with pytest.raises(ValueError, match="lore"):
            read_lore(bytes(broken))
    with pytest.raises(ValueError, match="lore"):
        read_lore(bytes(held[:-1]))
    with pytest.raises(ValueError, match="lore"):
        read_lore(b"\0" * (MOST_BYTES + 100))


def forged(change):
    """Answer lore whose names were changed by somebody who knows the digest."""
    held = pack_lore(some())
    _, _, length = struct.unpack_from("<4s16sI", held)
    names = json.loads(held[24 : 24 + length])
    change(names)
    text = json.dumps(names).encode()
    body = text + held[24 + length :]
    digest = blake2b(body, digest_size=16).digest()
    return struct.pack("<4s16sI", MAGIC, digest, len(text)) + body


@pytest.mark.parametrize(
    "change",
    [
        lambda names: names.pop("workers"),
        lambda names: names.update(at=-1),
        lambda names: names.update(at="now"),
        lambda names: names.update(campaigns=["c1", "c2", "c3"]),
        lambda names: names.update(campaigns=[f"c{n}" for n in range(9_999)]),
        lambda names: names.update(multipliers=[["e", f"c{n}"] for n in range(MOST_PAIRS + 1)]),
        lambda names: names.update(workers={str(n): [1, 2] for n in range(999)}),
        lambda names: names.update(lengths=[]),
        lambda names: names.update(lengths=[1 << 40] * 6),
        lambda names: names.update(market=["x"]),
        lambda names: names.update(centre="high"),
    ],
)
def test_lore_of_another_shape_is_refused(change):
    with pytest.raises(ValueError, match="another release"):
        read_lore(forged(change))


def test_a_fault_in_one_part_reaches_no_other():
    lore = some()
    sums = lore.sums.copy()
    sums[0, 2] = np.nan
    sums[1, 0] = -5.0
    assert (sums[:, 4] >= 0).all()
    shift = lore.market.shift.copy()
    shift[0] = np.inf
    tallies = lore.creatives.evidence.tallies.copy()
    tallies[0, 0] = np.nan
    broken = replace(
        lore,
        sums=sums,
        market=lore.market._replace(shift=shift),
        creatives=lore.creatives._replace(
            evidence=lore.creatives.evidence._replace(tallies=tallies)
        ),
    )
    found = read_lore(pack_lore(broken))
    assert (found.sums == 0).all()
    assert found.market is None
    assert (found.creatives.evidence.shift[0] == 0).all()
    assert (found.creatives.evidence.shift[1] != 0).any()
    same(
        replace(found, sums=lore.sums, market=lore.market, creatives=lore.creatives),
        lore,
    )


def test_lore_that_is_too_large_is_not_written():
    names = tuple("c" * 5_000 + str(n) for n in range(1_900))
    with pytest.raises(ValueError, match="larger"):
        pack_lore(Lore().with_campaigns(names))
