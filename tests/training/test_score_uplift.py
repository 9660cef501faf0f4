"""From the real store to effects on disk: log decisions with chances, fit, release, score."""

import asyncio
import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from domain.decisions import Decision
from domain.errors import ScientistError
from domain.events import Event, Kind
from domain.users import Purpose
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.bundle import CHALLENGER, CURRENT, open_bundle, read_pointer
from models.churn.attributes import Attributes
from models.families import load_scorer
from tests.training.leaving import at_day, history_of_orders
from training.cli import main
from training.profiles import Told
from training.score_log import crowd_of
from training.score_uplift import scored

PEOPLE = 1600
WORDS = {
    "learners": ["x"],
    "leaves": [4],
    "trees": [40],
    "choosing": 1,
    "repeats": 2,
    "rounds": 40,
    "value": 50.0,
    "cost": 1.0,
}
FAST = [word for name, value in WORDS.items() for word in ("--set", f"{name}={json.dumps(value)}")]


def _world() -> tuple[list[Event], list[Decision], np.ndarray]:
    """Answer a shop in which contact at day 60 brings back who bought lately and drives off who
    did not; chances of contact are .7 for the first and .4 for the others, and logged."""
    rng = np.random.default_rng(6)
    events: list[Event] = []
    decisions: list[Decision] = []
    lately = rng.random(PEOPLE) < 0.5

    def bought(number: int, day: float, kind: Kind = Kind.purchase, campaign: str = "",
               properties: str = "") -> None:  # fmt: skip
        events.append(
            Event(
                event_id=f"e{len(events)}", entity=f"uc{number}", kind=kind, at=at_day(day),
                item="i1", value=5_000_000 if kind is Kind.purchase else None, campaign=campaign,
                properties=properties,
            )
        )  # fmt: skip

    for number in range(PEOPLE):
        for day in rng.uniform(0, 20, 1 + rng.poisson(2)):
            bought(number, day)
        if lately[number]:
            bought(number, rng.uniform(45, 59))
        chance = 0.7 if lately[number] else 0.4
        contacted = rng.random() < chance
        moved = (0.3 if lately[number] else -0.3) if contacted else 0.0
        if rng.random() < 0.5 + moved:
            bought(number, rng.uniform(61, 80))
        arm = "contact" if contacted else "wait"
        decisions.append(
            Decision(
                decision_id=f"d{number}", at=at_day(60), family="contact", entity=f"uc{number}",
                model="", as_of=at_day(60), items=(arm,), scores=(0.0,),
                propensities=(chance if contacted else 1 - chance,),
            )
        )  # fmt: skip
        said = json.dumps({"arm": "treated" if contacted else "control"})
        bought(number, 60, Kind.impression, "spring", said)
    bought(0, 100, Kind.login)
    return events, decisions, lately


@pytest.fixture(scope="module")
def home(tmp_path_factory, mlflow_template):
    """A home whose log holds decisions and what came of them; an uplift model is released."""
    folder = tmp_path_factory.mktemp("contacted")
    (folder / "mlflow").mkdir()
    shutil.copy(mlflow_template, folder / "mlflow" / "mlflow.db")
    events, decisions, _ = _world()

    async def pour() -> None:
        store = await open_store(StoreSettings(buckets=4), Home(folder))
        try:
            await store.append(events, at_day(1000))
            await store.log_decisions(decisions)
            await store.patch_profile(
                "c0", at_day(1000), attributes={"plan": "a"}, consent={Purpose.analytics: True}
            )
        finally:
            await store.close()

    asyncio.run(pour())
    with pytest.MonkeyPatch.context() as patch:
        for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        patch.setenv("SANDERLING_BUCKETS", "4")
        patch.setenv("SANDERLING_HOME", str(folder))
        assert main(["fit", "uplift", "--horizon-days", "28", *FAST]) == 0
        assert main(["evaluate", "uplift"]) == 0
        assert main(["release", "uplift"]) == 0
    return Home(folder)


@pytest.fixture
def named(home, monkeypatch):
    for name in ("REDIS_URL", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SANDERLING_BUCKETS", "4")
    monkeypatch.setenv("SANDERLING_HOME", str(home.root))
    return home


def test_the_released_model_was_fitted_on_logged_chances(named):
    folder = named.bundles / "uplift"
    bundle = open_bundle(folder / read_pointer(folder, CURRENT).version)
    manifest = bundle.manifest
    assert manifest.data.split["propensities"] == "logged"
    assert manifest.data.split["rows"] == PEOPLE
    assert manifest.metrics["qini"].low > 0
    assert manifest.settings["treatment"] == "contact"
    assert set(manifest.views) == {"rfm", "rhythm", "breadth"}
    assert read_pointer(folder, CHALLENGER).version == bundle.version


def test_everyone_is_scored_with_what_to_do(named, tmp_path, capsys):
    out = tmp_path / "effects.parquet"
    # As of then, when the decisions were made.
    words = ["score", "uplift", "--as-of", str(at_day(60)), "--out", str(out)]
    assert main(words) == 0
    frame = pl.read_parquet(out)
    lately = _world()[2]
    place = frame["user"].str.strip_prefix("c").cast(pl.Int64).to_numpy()
    assert sorted(place) == list(range(PEOPLE))
    effect = frame["effect"].to_numpy()
    assert effect[lately[place]].mean() > 0.15
    assert effect[~lately[place]].mean() < -0.15
    actions = dict(frame.group_by("action").len().iter_rows())
    assert actions["contact"] > 200
    assert actions["leave_alone"] > 200
    told = capsys.readouterr().err
    assert f"contact {actions['contact']:,}" in told
    assert f"leave_alone {actions['leave_alone']:,}" in told
    dogs = frame.filter(action="leave_alone")
    assert (dogs["high"] < 0).all()
    contacted = frame.filter(action="contact")
    assert (contacted["low"] * 50.0 >= 1.0).all()
    assert frame["as_of"].unique().to_list() == [at_day(60)]
    assert frame["model"].n_unique() == 1


def test_a_campaign_that_followed_a_rule_is_refused(named, capsys):
    """The same people by the campaign's events, without chances: lately is who was contacted."""
    assert main(["fit", "uplift", "--campaign", "spring", "--horizon-days", "28", *FAST]) == 4
    said = capsys.readouterr().err
    assert "not dealt at random" in said
    assert "hold out people by lot" in said


def test_a_time_that_makes_no_sense_is_refused(named, tmp_path, capsys):
    for as_of in ("soon", "2199-01-01"):
        words = ["score", "uplift", "--as-of", as_of, "--out", str(tmp_path / "x.parquet")]
        assert main(words) == 4
    assert "future" in capsys.readouterr().err
    assert not (tmp_path / "x.parquet").exists()


def test_nobody_and_nothing_known_are_said(named):
    folder = named.bundles / "uplift"
    model = load_scorer(open_bundle(folder / read_pointer(folder, CURRENT).version))
    empty = history_of_orders({"one": [(5.0, Kind.purchase)]})
    told = Told({}, frozenset())
    assert scored(crowd_of(empty, at_day(9), told), model).height == 1
    asking = replace(model, events=False, attributes=Attributes(("age",)))
    with pytest.raises(ScientistError, match="nobody in the log has any"):
        scored(crowd_of(empty, at_day(9), told), asking)
