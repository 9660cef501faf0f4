"""Hot swap: a good release comes in whole, a bad one changes nothing, the old one stays warm."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from domain.clock import FixedClock
from models.bundle import CURRENT, Bundle, Draft, Golden, check_golden, point, write_bundle
from service.bundles import RETRY_LOOKS, Bundles
from service.metrics import Metrics
from tests.service.serving import until

AT = 1_760_000_000_000


class Doubler:
    """Answers its factor times what it is given."""

    def __init__(self, bundle: Bundle) -> None:
        self.factor = float(bundle.arrays["factor"][0])

    def answer(self, row: Any) -> Any:
        return self.factor * row


class Shelf:
    """A folder of bundles, the watcher over it, and how often it loaded."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.metrics = Metrics()
        self.loads = 0
        self.bundles = Bundles(
            root, self.metrics, FixedClock(AT), families=("toy",), load=self._load, poll_s=0.01
        )

    def _load(self, bundle: Bundle) -> Doubler:
        self.loads += 1
        scorer = Doubler(bundle)
        check_golden(bundle, scorer.answer)
        return scorer

    def write(self, factor: float, promised: float | None = None) -> str:
        """Write a bundle whose golden row promises `promised`; answer its version."""
        output = float(factor if promised is None else promised)
        draft = Draft(
            "toy",
            AT + int(factor * 1_000),
            {"factor": np.array([factor])},
            {},
            golden=Golden([{"input": 1.0, "output": output}]),
        )
        return write_bundle(self.root, draft).version

    def release(self, version: str) -> None:
        point(self.root / "toy", version, AT)

    def factor(self) -> float | None:
        loaded = self.bundles.current("toy")
        return None if loaded is None else loaded.scorer.factor

    def figure(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"sanderling_{name}", labels) or 0.0


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_nothing_released(shelf: Shelf) -> None:
    await shelf.bundles.look()
    assert shelf.bundles.current("toy") is None
    assert shelf.bundles.all() == []


async def test_releases_come_in_and_go_back_without_loading_again(shelf: Shelf) -> None:
    first, second = shelf.write(2), shelf.write(3)
    for version, factor, loads in ((first, 2, 1), (second, 3, 2), (first, 2, 2), (second, 3, 2)):
        shelf.release(version)
        await shelf.bundles.look()
        await shelf.bundles.look()
        assert (shelf.factor(), shelf.loads) == (factor, loads)
    loaded = shelf.bundles.all()[0]
    assert (loaded.version, loaded.loaded_at) == (second, AT)
    assert shelf.figure("bundle_loads_total", family="toy") == 4
    assert shelf.figure("model_loaded", family="toy", version=second) == 1
    assert shelf.figure("model_loaded", family="toy", version=first) == 0


async def test_a_bundle_that_breaks_its_word_is_refused(shelf: Shelf) -> None:
    good, bad = shelf.write(2), shelf.write(3, promised=4)
    shelf.release(good)
    await shelf.bundles.look()
    shelf.release(bad)
    await shelf.bundles.look()
    assert shelf.factor() == 2
    assert shelf.figure("bundle_refusals_total", family="toy") == 1
    shelf.release(good)
    await shelf.bundles.look()
    assert shelf.factor() == 2


async def test_a_damaged_one_is_refused_and_tried_again_later(shelf: Shelf) -> None:
    version = shelf.write(2)
    file = shelf.root / "toy" / version / "arrays" / "factor.npy"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    shelf.release(version)
    for _ in range(RETRY_LOOKS - 1):
        await shelf.bundles.look()
    assert shelf.factor() is None
    assert shelf.figure("bundle_refusals_total", family="toy") == 1
    file.write_bytes(whole)
    for _ in range(2):
        await shelf.bundles.look()
    assert shelf.factor() == 2


@pytest.mark.parametrize("pointer", ["", "{", "null", '{"format":1,"version":"../../etc"}'])
async def test_a_broken_pointer_changes_nothing(shelf: Shelf, pointer: str) -> None:
    shelf.release(shelf.write(2))
    await shelf.bundles.look()
    (shelf.root / "toy" / CURRENT).write_text(pointer)
    await shelf.bundles.look()
    assert shelf.factor() == 2
    assert shelf.figure("bundle_refusals_total", family="toy") == 1


async def test_a_scorer_that_fails_to_load_changes_nothing(
    shelf: Shelf, caplog: pytest.LogCaptureFixture
) -> None:
    shelf.release(shelf.write(2))
    await shelf.bundles.look()

    def fail(bundle: Bundle) -> Doubler:
        raise MemoryError("not enough")

    shelf.bundles._load = fail  # type: ignore[method-assign]
    shelf.release(shelf.write(3))
    await shelf.bundles.look()
    assert shelf.factor() == 2
    assert shelf.figure("bundle_refusals_total", family="toy") == 1


async def test_a_pointer_taken_away_leaves_the_model(shelf: Shelf) -> None:
    shelf.release(shelf.write(2))
    await shelf.bundles.look()
    (shelf.root / "toy" / CURRENT).unlink()
    await shelf.bundles.look()
    assert shelf.factor() == 2


async def test_it_watches_until_it_is_stopped(shelf: Shelf) -> None:
    await shelf.bundles.start()
    try:
        shelf.release(shelf.write(2))
        await until(lambda: shelf.factor() == 2)
        shelf.release(shelf.write(3))
        await until(lambda: shelf.factor() == 3)
    finally:
        await shelf.bundles.stop()
    shelf.release(shelf.write(4))
    assert shelf.factor() == 3


async def test_ways_to_an_answer_are_counted_at_every_look(tmp_path):
    shelf = Shelf(tmp_path)
    shelf.release(shelf.write(2.0))
    await shelf.bundles.look()
    scorer = shelf.bundles.current("toy").scorer
    scorer.tally = Counter(indexed=3, whole=1)
    await shelf.bundles.look()
    scorer.tally["whole"] += 2
    await shelf.bundles.look()
    await shelf.bundles.look()
    assert shelf.figure("model_paths_total", family="toy", path="indexed") == 3
    assert shelf.figure("model_paths_total", family="toy", path="whole") == 3
