"""What training's tests share: a fresh MLflow database each, and a family of toys to release."""

import asyncio
import shutil
from pathlib import Path

import numpy as np
import pytest

from domain.events import Event, Kind
from domain.ids import user_entity
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models import families
from models.bundle import Bundle, DataStamp, Draft, Golden, Metric, write_bundle
from training.cli import main
from training.gate import Contest
from training.tracking import Tracking

AT = 1_700_000_000_000


class ToyScorer:
    """Answers n with n times its factor; its quality on every case is the factor, too."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def answer(self, row: float) -> dict[str, float]:
        return {"score": row * self.factor}


def toy_draft(factor: float, second: int = 0, **changes) -> Draft:
    golden = [{"input": float(n), "output": {"score": n * factor}} for n in range(1, 4)]
    made = {
        "family": "toy",
        "created_at": AT + second * 1000,
        "arrays": {"factor": np.array([factor])},
        "params": {"members": {"graph": {"weight": 0.7}, "popularity": {"weight": 0.3}}},
        "texts": {"card.md": f"# Toy {factor}\n"},
        "golden": Golden(golden),
        "metrics": {
            "ndcg_at_10": Metric(factor, factor - 0.01, factor + 0.01),
            "popularity_ndcg_at_10": Metric(0.2, 0.19, 0.21),
        },
        "data": DataStamp("f00d", 100, AT - 10, AT, {"kind": "time", "cut": AT - 5}),
        "views": {"rfm": "0a1b"},
        "settings": {"seed": 7, "graph": {"window": 5}},
        "commit": "c0ffee",
    }
    return Draft(**(made | changes))


def hold_toy_contest(challenger: Bundle, champion: Bundle | None) -> Contest:
    """Cases of a split on which every bundle is as good as its factor, popularity 0.2."""
    noise = np.random.default_rng(0).normal(0, 0.05, 200)
    bundles = {"challenger": challenger} | ({} if champion is None else {"champion": champion})
    cases = {
        name: {"ndcg_at_10": bundle.arrays["factor"][0] + noise} for name, bundle in bundles.items()
    }
    return Contest(cases | {"popularity": {"ndcg_at_10": 0.2 - noise}}, "as toys do")


@pytest.fixture
def toy_contest():
    """Holds the contest of toys."""
    return hold_toy_contest


@pytest.fixture
def toy_family(tmp_path, monkeypatch) -> Path:
    """The folder of a family called toy, whose scorers are ToyScorer."""
    monkeypatch.setitem(
        families.SCORERS, "toy", lambda bundle: ToyScorer(float(bundle.arrays["factor"][0]))
    )
    return tmp_path / "bundles" / "toy"


@pytest.fixture
def add_toy(toy_family):
    """A function that writes a toy of a factor, `second` seconds on; answers its bundle."""
    return lambda factor, second=0, **changes: write_bundle(
        toy_family.parent, toy_draft(factor, second, **changes)
    )


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory) -> Path:
    """A migrated database without a run: migrating takes seconds, copying does not."""
    folder = tmp_path_factory.mktemp("mlflow")
    assert Tracking(folder, f"sqlite:///{folder / 'mlflow.db'}").versions("toy") == {}
    return folder / "mlflow.db"


@pytest.fixture
def mlflow_folder(tmp_path, mlflow_template, monkeypatch) -> Path:
    """A folder with a database of its own, as `<home>/mlflow` has."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "mlflow"
    folder.mkdir()
    shutil.copy(mlflow_template, folder / "mlflow.db")
    return folder


@pytest.fixture
def tracking(mlflow_folder) -> Tracking:
    """Real MLflow on sqlite."""
    return Tracking(mlflow_folder)


HOUR_MS = 3_600_000
ITEMS = 24


def walks(users: int = 60, steps: int = 14) -> list[Event]:
    """Purchases of users who each go round a ring of items one by one, from where they begin.

    What comes next follows from what came last, so an item graph knows and popularity does not.
    """
    return [
        Event(
            event_id=f"e{user}-{step}",
            entity=user_entity(f"user{user}"),
            kind=Kind.purchase,
            at=AT + step * 24 * HOUR_MS + user * 1000,
            item=f"item{(user * 7 + step) % ITEMS:02}",
        )
        for step in range(steps)
        for user in range(users)
    ]


@pytest.fixture(scope="session")
def walked_home(tmp_path_factory, mlflow_template) -> Path:
    """A home whose log holds `walks`, poured through the real store and drained by a fit.

    Its challenger is an item graph and popularity, fitted by the command line. Copy before use.
    """
    folder = tmp_path_factory.mktemp("walked")
    (folder / "mlflow").mkdir()
    shutil.copy(mlflow_template, folder / "mlflow" / "mlflow.db")

    async def pour() -> None:
        store = await open_store(StoreSettings(buckets=4), Home(folder))
        try:
            await store.append(walks(), AT + 365 * 24 * HOUR_MS)
        finally:
            await store.close()

    asyncio.run(pour())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("SANDERLING_BUCKETS", "4")
        patch.setenv("SANDERLING_HOME", str(folder))
        graph = 'members=["popularity", "graph"]'
        assert main(["fit", "recommend", "--set", graph, "--set", "min_cases=10"]) == 0
    return folder


@pytest.fixture
def walked(walked_home, tmp_path, monkeypatch) -> Home:
    """A copy of the walked home, which the environment names; fits must not need a store."""
    home = tmp_path / "home"
    for part in ("log", "bundles", "mlflow"):
        shutil.copytree(walked_home / part, home / part)
    for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SANDERLING_HOME", str(home))
    return Home(home)
