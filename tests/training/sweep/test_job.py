"""The job: whole or resumed, killed at every step, it ends in the same sweep."""

import asyncio
import json
import subprocess
import sys

import numpy as np
import pytest

from domain.errors import OperatorError, ScientistError, Unavailable
from domain.ids import user_entity
from domain.users import Profile
from feature_store.history import History
from feature_store.log.lock import only_one
from feature_store.memory import MemoryStore
from feature_store.sweeps.reading import Sweep, Sweeps
from feature_store.sweeps.shelf import current_id, sweeps_in
from feature_store.sweeps.table import open_table
from models.churn.bands import Limits, levels_of
from models.churn.model import ChurnModel
from tests.architecture.sources import ROOT
from tests.training.sweep.sweeping import AS_OF, NOW, job, learned_model, release
from training.sweep.job import CACHED, LOCK, Wish
from training.sweep.plan import missing_parts, part_path, read_plan
from training.sweep.population import population

WISH = Wish(as_of=AS_OF)
STEPS = ("planned", "part", "ranked", "written", "summarised", "pointed")


class Stop(Exception):
    """Ends a run at a step, as a kill would, but within this process."""


def _same(one: Sweep, other: Sweep) -> None:
    assert one.table.users.to_pylist() == other.table.users.to_pylist()
    for name, array in one.table.columns.items():
        np.testing.assert_array_equal(array, other.table[name], name)
    for name in ("bands", "limits", "left_out", "expected_loss", "model", "as_of", "users"):
        assert getattr(one.summary, name) == getattr(other.summary, name)


@pytest.fixture(scope="module")
def straight(_released, history, tmp_path_factory) -> Sweep:
    home = tmp_path_factory.mktemp("straight")
    (home / "bundles").symlink_to(_released / "bundles")
    return job(home, history).run(WISH)


def test_everybody_active_is_there_once(straight, history, model) -> None:
    people = population(history, model.definition, AS_OF, None)
    assert sorted(straight.table.users.to_pylist()) == sorted(people.users)
    assert straight.summary.left_out == {**people.left_out, "refused": 0}
    assert straight.summary.as_of == AS_OF
    loss = straight.table["expected_loss"]
    assert (np.diff(loss) <= 0).all()
    limits = Limits(**straight.summary.limits)
    wanted = levels_of(loss, np.full(len(loss), -1, np.int8), limits)
    np.testing.assert_array_equal(straight.table["level"], wanted)
    assert 0.05 < straight.summary.bands["high"] / len(loss) <= 0.15


def test_the_parts_do_not_matter(straight, home, history) -> None:
    _same(job(home, history, part_users=10_000).run(WISH), straight)


@pytest.mark.parametrize("name", STEPS)
def test_stopped_at_any_step_it_goes_on_to_the_same_end(home, history, straight, name) -> None:
    def stop(now: str) -> None:
        if now == name:
            raise Stop

    with pytest.raises(Stop):
        job(home, history, step=stop).run(WISH)
    root = home / "sweeps" / "churn"
    began = [*sweeps_in(root, whole=False), *sweeps_in(root, whole=True)]
    _same(job(home, history).run(Wish(), resume=True), straight)
    assert current_id(root) == began[0]
    assert (root / began[0] / CACHED).exists()


@pytest.mark.parametrize(("name", "count"), [("part", 2), ("summarised", 1)])
def test_killed_it_goes_on_with_what_it_has(home, history, straight, name, count) -> None:
    module = "tests.training.sweep.sweeping"
    done = subprocess.run(
        [sys.executable, "-m", module, str(home), name, str(count)],
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == -9
    root = home / "sweeps" / "churn"
    assert current_id(root) is None
    if name == "part":
        (began,) = sweeps_in(root, whole=False)
        plan = read_plan(root / began)
        assert len(missing_parts(root / began, plan)) == plan.parts - count
    _same(job(home, history).run(Wish(), resume=True), straight)


def test_only_missing_parts_are_scored_again(home, history) -> None:
    parts = 0

    def stop(now: str) -> None:
        nonlocal parts
        parts += now == "part"
        if parts == 2:
            raise Stop

    with pytest.raises(Stop):
        job(home, history, step=stop).run(WISH)
    seen: list[str] = []
    sweep = job(home, history, step=seen.append).run(Wish(), resume=True)
    plan = read_plan(home / "sweeps" / "churn" / sweep.summary.id)
    assert seen.count("part") == plan.parts - 2


def test_resuming_keeps_the_model_it_began_with(home, history, model) -> None:
    with pytest.raises(Stop):
        job(home, history, step=_stop_at("planned")).run(WISH)
    old = read_plan(home / "sweeps" / "churn" / sweeps_in(home / "sweeps/churn", whole=False)[0])
    release(home / "bundles", model, second=9)
    assert job(home, history).run(Wish(), resume=True).summary.model == old.model


def _stop_at(name: str):
    def stop(now: str) -> None:
        if now == name:
            raise Stop

    return stop


def test_a_new_sweep_gives_up_an_unfinished_one(home, history) -> None:
    with pytest.raises(Stop):
        job(home, history, step=_stop_at("part")).run(WISH)
    sweep = job(home, history).run(WISH)
    root = home / "sweeps" / "churn"
    assert sweeps_in(root, whole=False) == []
    assert sweeps_in(root, whole=True) == [sweep.summary.id]
    # Nothing is left to go on with, so a new one is begun.
    assert job(home, history).run(WISH, resume=True).summary.id != sweep.summary.id


def test_the_next_sweep_holds_on_to_bands(home, history) -> None:
    first = job(home, history).run(WISH)
    second = job(home, history).run(Wish(as_of=AS_OF + 7 * 86_400_000))
    assert second.summary.previous == first.summary.id
    assert second.summary.limits == first.summary.limits
    before = dict(zip(first.table.users.to_pylist(), first.table["level"].tolist(), strict=True))
    users = second.table.users.to_pylist()
    assert second.table["previous"].tolist() == [before.get(user, -1) for user in users]
    crossed = np.maximum(second.table["previous"], 0) != second.table["level"]
    assert second.summary.crossings == int(crossed.sum()) > 0


def test_refusal_is_respected_and_scores_are_cached(home, history, straight) -> None:
    store = MemoryStore()
    user = straight.table.users[3].as_py()

    async def opening() -> MemoryStore:
        await store.put_profile(user, Profile({}, {"analytics": False}))
        return store

    sweep = job(home, history, open_store=opening).run(WISH)
    assert sweep.summary.left_out["refused"] == 1
    users = sweep.table.users.to_pylist()
    assert len(users) == len(straight.table) - 1
    assert user not in users
    assert (home / "sweeps" / "churn" / sweep.summary.id / CACHED).exists()


def test_who_refuses_while_a_sweep_is_stopped_is_taken_out_again(home, history, straight) -> None:
    store = MemoryStore()
    done: list[str] = []

    async def opening() -> MemoryStore:
        return store

    def stop(now: str) -> None:
        done.append(now)
        if done.count("part") == 2:
            raise Stop

    with pytest.raises(Stop):
        job(home, history, open_store=opening, step=stop).run(WISH)
    root = home / "sweeps" / "churn"
    folder = root / sweeps_in(root, whole=False)[0]
    part = next(part for part in range(9) if part not in missing_parts(folder, read_plan(folder)))
    scored = open_table(part_path(folder, part)).users.to_pylist()
    refusing = Profile({}, {"analytics": False})
    asyncio.run(store.put_profile(scored[0], refusing))
    sweep = job(home, history, open_store=opening).run(Wish(), resume=True)
    assert set(straight.table.users.to_pylist()) - set(sweep.table.users.to_pylist()) == {scored[0]}
    assert sweep.summary.left_out["refused"] == 1
    states = asyncio.run(store.read([user_entity(scored[0])])).states
    assert not states[0].scores


def test_opt_in_leaves_out_who_never_answered(home, history) -> None:
    sweep = job(home, history, unanswered=False)
    with pytest.raises(ScientistError, match="refused"):
        sweep.run(WISH)


def test_a_label_set_brings_people_without_events(tmp_path, history) -> None:
    people = {f"p{n}": {"age": 20 + n, "fee": float(n % 7)} for n in range(30)}
    everybody = {name[1:]: {"age": 30 + place, "fee": 1.0 * (place % 5)}
                 for place, name in enumerate(history.entities)}  # fmt: skip
    learned = learned_model(history, everybody)
    assert isinstance(learned, ChurnModel)
    release(tmp_path / "bundles", learned, fit={"label_set": "spring"})
    store = MemoryStore()

    async def opening() -> MemoryStore:
        for user, attributes in people.items():
            await store.put_profile(user, Profile(attributes))
        return store

    made = job(tmp_path, history, open_store=opening, labelled=lambda name: [*people, name])
    table = made.run(WISH).table
    assert {*people, "spring"} <= set(table.users.to_pylist())


def test_of_labels_and_attributes_alone_the_sweep_is_of_now(tmp_path, history) -> None:
    everybody = {name[1:]: {"age": 30 + place, "fee": 1.0 * (place % 5)}
                 for place, name in enumerate(history.entities)}  # fmt: skip
    release(tmp_path / "bundles", learned_model(history, everybody), fit={"label_set": "spring"})
    made = job(tmp_path, History.from_events([]), labelled=lambda name: ["ann", "bob"])
    sweep = made.run(Wish())
    assert sorted(sweep.table.users.to_pylist()) == ["ann", "bob"]
    assert sweep.summary.as_of == NOW


def test_one_sweep_at_a_time(home, history) -> None:
    with only_one(home / "sweeps" / "churn", LOCK), pytest.raises(Unavailable, match="at work"):
        job(home, history).run(WISH)


def test_without_a_released_model_one_is_asked_for(tmp_path, history) -> None:
    with pytest.raises(OperatorError, match="release churn"):
        job(tmp_path, history).run(WISH)


@pytest.mark.parametrize(
    ("wish", "match"),
    [(Wish(as_of=4_000_000_000_000), "future"), (Wish(as_of=1), "nobody"), (Wish(), None)],
)
def test_there_must_be_somebody_to_score(home, history, wish, match) -> None:
    if match is None:
        sweep = job(home, history).run(wish)
        assert sweep.summary.as_of == int(history.records["at"].max()) + 1
        return
    with pytest.raises(ScientistError, match=match):
        job(home, history).run(wish)


def test_an_empty_log_is_nobody(home) -> None:
    with pytest.raises(ScientistError, match="nobody"):
        job(home, History.from_events([])).run(WISH)


def test_a_model_of_other_views_is_refused(tmp_path, history, model) -> None:
    bundle = release(tmp_path / "bundles", model)
    path = bundle.path / "manifest.json"
    raw = json.loads(path.read_text())
    assert raw["views"]["rfm"]
    changed = bundle.manifest.views | {"rfm": "0000"}
    object.__setattr__(bundle.manifest, "views", changed)
    with pytest.raises(OperatorError, match="rfm"):
        job(tmp_path, history, open_model=lambda version: (bundle, model)).run(WISH)


def test_old_sweeps_are_cleared_away(home, history) -> None:
    names = [job(home, history).run(Wish(as_of=AS_OF + day)).summary.id for day in range(5)]
    assert sweeps_in(home / "sweeps" / "churn", whole=True) == names[-3:]
    assert Sweeps(home / "sweeps" / "churn").get(names[0]) is None
