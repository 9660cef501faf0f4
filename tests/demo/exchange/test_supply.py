"""Supply: drawn once, in the order of time, as often under each law as is said."""

from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from demo.exchange.supply import FREE, HOUSES, LAWS, Visitor, offers_of, users_of

USERS = [f"u{number}" for number in range(40)]


def test_a_day_in_a_few_seconds() -> None:
    offers = offers_of(4_000, 8.0, USERS, seed=3)
    assert abs(len(offers) - 4_000) < 250
    due = [offer.due for offer in offers]
    assert due == sorted(due)
    assert due[0] >= 0
    assert 7.5 < due[-1] <= 8.0
    assert [offer.number for offer in offers] == list(range(len(offers)))
    # The evening has more than the early morning.
    hours = Counter(offer.hour for offer in offers)
    assert hours[20] > 1.3 * hours[8]
    assert {offer.house for offer in offers} == set(HOUSES)
    # Hours go with time: the day begins at midnight.
    assert all(int(offer.due / 8.0 * 24) == offer.hour for offer in offers[:: len(offers) // 20])


def test_the_same_seed_the_same_supply() -> None:
    one, same, other = (offers_of(300, 5.0, USERS, seed) for seed in (1, 1, 2))
    assert [offer._replace(others=offer.others.sum()) for offer in one] == [
        offer._replace(others=offer.others.sum()) for offer in same
    ]
    assert [offer.chance for offer in one] != [offer.chance for offer in other]


def test_laws_and_users_come_as_often_as_is_said() -> None:
    offers = offers_of(20_000, 5.0, USERS, seed=1)
    laws = Counter(offer.visitor.law for offer in offers)
    for law, share in LAWS.items():
        assert laws[law] / len(offers) == pytest.approx(share, abs=0.01)
    assert sum(LAWS.values()) == pytest.approx(1.0)
    named = [offer.visitor.user for offer in offers if offer.visitor.user]
    assert len(named) / len(offers) == pytest.approx(0.6, abs=0.02)
    assert set(named) == set(USERS)
    assert not any(offer.visitor.user for offer in offers_of(500, 5.0, [], seed=1))


def test_what_happens_is_drawn_beforehand_and_late() -> None:
    offers = offers_of(5_000, 10.0, USERS, seed=1)
    clicked = np.mean([offer.luck < offer.chance for offer in offers])
    assert clicked == pytest.approx(np.mean([offer.chance for offer in offers]), abs=0.01)
    assert 0.02 < clicked < 0.08
    assert np.mean([offer.buys for offer in offers]) == pytest.approx(0.2, abs=0.03)
    delays = [offer.delay for offer in offers]
    assert min(delays) >= 0.0
    assert max(delays) <= 6.0
    assert 1.0 < float(np.mean(delays)) < 2.0
    # Micros a thousand: what others bid lies about the iPinYou prices' middle.
    best = np.median([offer.others.max() for offer in offers])
    assert 2e5 < best < 1.5e6


def test_who_may_be_known() -> None:
    assert FREE == ("", "granted")
    assert Visitor("anna", "granted").personal
    assert Visitor("anna", "").personal
    assert not Visitor("", "").personal
    assert not any(Visitor("anna", law).personal for law in ("gdpr", "coppa", "lmt"))


def test_users_of_a_log(tmp_path: Path) -> None:
    folder = tmp_path / "day=2026-11-01" / "bucket=000"
    folder.mkdir(parents=True)
    entities = [f"u{number:03d}" for number in range(100)] * 2 + ["svisit"]
    pl.DataFrame({"entity": entities}).write_parquet(folder / "1-0_2-0.parquet")
    assert users_of(tmp_path) == [f"{number:03d}" for number in range(100)]
    some = users_of(tmp_path, most=10)
    assert some == [f"{number:03d}" for number in range(0, 100, 10)]


def test_a_log_of_visits_knows_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "day=2026-11-01" / "bucket=000"
    folder.mkdir(parents=True)
    pl.DataFrame({"entity": ["sa", "sb"]}).write_parquet(folder / "1-0_2-0.parquet")
    assert users_of(tmp_path) == []
