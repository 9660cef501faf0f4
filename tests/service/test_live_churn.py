"""The desk follows releases and sweeps; what cannot be read leaves the last one in place."""

from pathlib import Path

import pytest

from domain.clock import FixedClock
from feature_store.sweeps.reading import Sweeps
from service.bundles import Bundles
from service.live_churn import Effect, LiveChurn, effects_of
from service.metrics import Metrics
from tests.feature_store.sweeps.making import put, scored
from tests.golden.leaving import BASE_RATE, leaving_model, release_contact, release_leaving
from tests.models.churn.test_answer import rows_of
from tests.service.serving import NOW, until


def live_over(home: Path, poll_s: float = 60.0) -> tuple[Bundles, LiveChurn]:
    bundles = Bundles(home / "bundles", Metrics(), FixedClock(NOW), poll_s=60.0)
    return bundles, LiveChurn(bundles, Sweeps(home / "sweeps" / "churn"), poll_s=poll_s)


async def test_there_is_none_without_a_release(tmp_path: Path) -> None:
    bundles, live = live_over(tmp_path)
    await bundles.look()
    await live.look()
    assert live.current is None
    assert [view.name for view in live.views] == ["rfm", "rhythm", "breadth", "goods"]


async def test_a_release_brings_a_desk_and_its_base_rate(tmp_path: Path) -> None:
    version = release_leaving(tmp_path)
    bundles, live = live_over(tmp_path)
    await bundles.look()
    await live.look()
    desk = live.current
    assert desk is not None
    assert (desk.version, desk.basis, desk.uplift) == (version, "probability", None)
    assert desk.desk.base_rate == BASE_RATE
    assert desk.desk.limits.medium_enter == BASE_RATE
    await live.look()
    assert live.current is desk


async def test_a_sweep_brings_its_limits_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    release_leaving(tmp_path)
    root = tmp_path / "sweeps" / "churn"
    bundles, live = live_over(tmp_path)
    await bundles.look()
    put(root, 1, scored(["ada"], [0.5], [100.0]))
    await live.look()
    desk = live.current
    assert desk is not None
    assert (desk.basis, desk.desk.by_loss, desk.desk.limits[0]) == ("loss", True, 10.0)
    (root / "current").write_text("{")
    await live.look()
    assert live.current is not None
    assert live.current.basis == "probability"


async def test_an_uplift_model_joins_the_desk(tmp_path: Path) -> None:
    release_leaving(tmp_path)
    bundles, live = live_over(tmp_path)
    await bundles.look()
    await live.look()
    version = release_contact(tmp_path, 0.25, 0.1)
    await bundles.look()
    await live.look()
    assert live.current is not None
    assert live.current.uplift is not None
    assert live.current.uplift.version == version


async def test_it_looks_by_itself(tmp_path: Path) -> None:
    release_leaving(tmp_path)
    bundles, live = live_over(tmp_path, poll_s=0.01)
    await live.start()
    assert live.current is None
    await bundles.look()
    await until(lambda: live.current is not None)
    first = live.current
    release_leaving(tmp_path, leaving_model(), created_at=60_000)
    await bundles.look()
    await until(lambda: live.current is not first)
    await live.stop()


async def test_effects_use_the_value_at_stake_or_the_terms(tmp_path: Path) -> None:
    release_leaving(tmp_path)
    release_contact(tmp_path, 0.2, 0.1)
    bundles, _ = live_over(tmp_path)
    await bundles.look()
    rows = rows_of((10,), (10,), (10,))
    told = effects_of(bundles.current("uplift"), rows, [{}] * 3, [1.0, None, -5.0])
    # At least 0.1 of 1 does not pay for a contact at 1; 0.1 of 10 just does; a loss never does.
    assert [one.action for one in told if one] == ["wait", "contact", "wait"]
    assert told[0] == Effect(pytest.approx(0.2), pytest.approx(0.1), pytest.approx(0.3), "wait")
    assert effects_of(None, rows, [{}] * 3, [None] * 3) == [None] * 3
