"""Workers draw mixes, learn what they earn, and believe the same; switches and seeds hold."""

from dataclasses import replace

import numba
import numpy as np
import pytest

from domain.clock import FixedClock
from domain.errors import StoreUnavailable
from domain.events import Kind
from domain.ids import hash64
from feature_store.memory import MemoryStore
from feature_store.switches import Switches
from models.bandits.choosing import choose
from models.bandits.evidence import COUNT, REWARD
from models.recommend.ask import Ask
from models.recommend.candidates import ITEM, columns_of
from models.recommend.desk import Desk
from models.recommend.mixes import ARMS, mixes_of
from models.recommend.model import RecommendModel
from models.recommend.policy import recommend
from models.recommend.ranker import Ranker
from models.recommend.reception_format import read_reception
from service import recommend_learning
from service.recommend_learning import NAME, told
from tests.models.recommend.small import random_forest
from tests.service.recommending import ASKER, NEW, Worker, shop
from tests.service.recommending import told as event_of
from tests.service.serving import NOW

CROWD = ARMS.index("crowd")


async def taught(worker: Worker, answers: int = 400, start: int = 0) -> None:
    """Let answers be given, of which those of the crowd's mix are liked."""
    for number in range(start, start + answers):
        decision = f"d{number}"
        mixed = worker.ask(decision)
        if mixed.mix == "crowd" or number % 8 == 0:
            worker.live.outcomes([event_of(mixed, decision)])
        if number % 25 == 24:
            await worker.live.look()
            worker.clock.now_ms += 4_000
    await worker.live.look()


async def test_until_somebody_tells_the_released_mix_answers() -> None:
    worker = Worker(store := MemoryStore())
    await worker.live.look()
    for number in range(50):
        mixed = worker.ask(f"d{number}")
        assert (mixed.mix, mixed.propensity, mixed.learning) == ("released", 1.0, False)
    await worker.live.look()
    assert await store.get_blob(NAME) is None, "nothing is written either"
    await worker.wake()
    mixes = {worker.ask(f"d{number}").mix for number in range(400)}
    assert {"released", "crowd"} <= mixes


async def test_the_first_draw_runs_code_that_was_compiled_before_anybody_asked(monkeypatch) -> None:
    seen = []

    def told(*given):
        seen.append(tuple(map(numba.typeof, given)))
        return choose(*given)

    monkeypatch.setattr(recommend_learning, "choose", told)
    worker = Worker(MemoryStore())
    await worker.live.start()
    ready = set(seen)
    await worker.wake()
    seen.clear()
    assert worker.ask("d1").learning
    await worker.live.stop()
    assert seen
    assert set(seen) <= ready


async def test_what_is_liked_is_found_and_other_workers_believe_the_same() -> None:
    store, clock = MemoryStore(), FixedClock(NOW)
    one, two = Worker(store, clock), Worker(store, clock)
    await one.wake()
    await two.live.look()
    await taught(one, 600)
    await two.live.look()
    assert one.live.reception.rewards > 50
    # The second looked four seconds later: a little has faded.
    about = pytest.approx
    assert two.live.reception.rewards == about(one.live.reception.rewards, rel=1e-3)
    for name in ("mix_answers", "mix_rewards", "mix_belief"):
        label = {"mix": "crowd"}
        known = one.count(f"recommend_{name}", **label)
        assert two.count(f"recommend_{name}", **label) == about(known, rel=1e-3)
    crowd = [[who.ask(f"e{number}").mix == "crowd" for number in range(200)] for who in (one, two)]
    assert np.mean(crowd) > 0.6
    assert crowd[0] == crowd[1], "the same beliefs and the same seeds"


async def test_propensities_are_those_of_the_draws() -> None:
    worker = Worker(MemoryStore())
    await worker.wake()
    await taught(worker, 100)
    drawn: dict[str, list[float]] = {}
    for number in range(4_000):
        mixed = worker.ask(f"p{number}")
        drawn.setdefault(mixed.mix, []).append(mixed.propensity)
    assert len(drawn) > 1
    for mix, chances in drawn.items():
        assert len(set(chances)) == 1
        assert abs(len(chances) / 4_000 - chances[0]) < 4 * np.sqrt(0.25 / 4_000), mix
    assert abs(sum(chances[0] for chances in drawn.values()) - 1.0) < 1e-9


async def test_an_answer_counts_once_and_its_reward_too() -> None:
    store = MemoryStore()
    worker = Worker(store)
    await worker.wake()
    mixed = worker.ask("d1")
    for _ in range(3):
        worker.live.outcomes([event_of(mixed, "d1"), event_of(mixed, "d1", 0, Kind.purchase)])
        await worker.live.look()
    tallies = worker.live.reception.pages.evidence.tallies
    assert tallies[:, COUNT].sum() == 1.0
    assert tallies[:, REWARD].sum() == 6.0


async def test_a_write_whose_answer_was_lost_counts_once() -> None:
    class Cut(MemoryStore):
        cut = False

        async def edit_blob(self, name, edit):
            made = await super().edit_blob(name, edit)
            if self.cut:
                self.cut = False
                raise StoreUnavailable("the answer was lost")
            return made

    store = Cut()
    worker = Worker(store)
    await worker.wake()
    worker.ask("d1")
    store.cut = True
    await worker.live.look()
    await worker.live.look()
    held = read_reception(await store.get_blob(NAME))
    assert held.pages.evidence.tallies[:, COUNT].sum() == 1.0


async def test_learning_switched_off_the_released_mix_answers_and_nothing_is_kept() -> None:
    worker = Worker(MemoryStore())
    await worker.wake()
    worker.switches = Switches(recommend_learning=True)
    for number in range(100):
        mixed = worker.ask(f"d{number}")
        assert (mixed.mix, mixed.learning) == ("released", False)
        worker.live.outcomes([event_of(mixed, f"d{number}")])
    await worker.live.look()
    assert worker.live.reception.pages.evidence.tallies.sum() == 0.0


async def test_exploration_switched_off_only_the_best_known_answers() -> None:
    worker = Worker(MemoryStore(), share=0.5)
    await worker.wake()
    worker.switches = Switches(recommend_exploration=True)
    for number in range(100):
        mixed = worker.ask(f"d{number}")
        assert (mixed.mix, mixed.propensity, mixed.explored) == ("released", 1.0, ())


async def test_a_new_item_is_owed_places_until_it_had_enough() -> None:
    worker = Worker(MemoryStore(), share=0.5, enough=20)
    await worker.live.look()
    shown: list[str] = []
    for number in range(400):
        shown += [item for item in worker.ask(f"d{number}", 4).slate.ids if item in NEW]
        if number % 10 == 9:
            await worker.live.look()
    counts = {name: shown.count(name) for name in NEW}
    # Ten answers of two explored places lie between two turns.
    assert all(20 <= count < 45 for count in counts.values()), counts
    placed = dict(
        zip(worker.live.reception.items.tolist(), worker.live.reception.placed, strict=True)
    )
    assert {name: int(placed[hash64(name)]) for name in NEW} == counts


async def test_the_same_decision_gives_the_same_answer_and_a_request_may_refuse() -> None:
    worker = Worker(MemoryStore(), share=0.4)
    await worker.live.look()
    assert worker.ask("d7", 10) == worker.ask("d7", 10)
    assert any(worker.ask(f"d{number}", 10).explored for number in range(5))
    for number in range(50):
        assert worker.ask(f"d{number}", 10, share=0.0).explored == ()


async def test_a_new_release_answers_by_itself_until_its_mixes_are_made() -> None:
    worker = Worker(MemoryStore())
    await worker.wake()
    worker.desk = replace(worker.desk, model=replace(worker.desk.model))
    assert {worker.ask(f"d{number}").mix for number in range(100)} == {"released"}
    await worker.live.look()
    assert len({worker.ask(f"d{number}").mix for number in range(300)}) > 1


async def test_what_cannot_be_read_starts_anew() -> None:
    store = MemoryStore()
    await store.put_blob(NAME, b"no reception")
    worker = Worker(store)
    await worker.live.look()
    assert worker.count("recommend_lessons_total", outcome="corrupt") == 1
    assert read_reception(await store.get_blob(NAME)).rewards == 0.0


async def test_what_is_logged_says_how_it_was_chosen() -> None:
    worker = Worker(MemoryStore())
    mixed = worker.ask("d1")
    assert told('{"k":5}', mixed) == '{"k":5}'
    await worker.wake()
    logged = told("{}", worker.ask("d1"))
    assert logged.startswith('{"chosen":{"mix":"')
    assert '"propensity":' in told('{"k":5}', worker.ask("d1"))


@pytest.mark.parametrize("page", ["\U0001f9a2" * 64, "x" * 300])
async def test_no_name_of_a_page_stops_learning(page: str) -> None:
    worker = Worker(MemoryStore())
    await worker.wake()
    await worker.live.look()
    before = worker.count("recommend_lessons_total", outcome="learned")
    for number in range(5):
        worker.ask(f"d{number}", page=page if number == 2 else "home")
    await worker.live.look()
    assert worker.count("recommend_lessons_total", outcome="learned") == before + 5


async def test_an_answer_that_cannot_be_kept_lets_the_next_ones_pass(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = MemoryStore()
    worker = Worker(store)
    await worker.wake()
    await worker.live.look()

    async def refuse(*_: object) -> None:
        raise ValueError("larger than answers are")

    with monkeypatch.context() as patched:
        patched.setattr(store.chosen, "put", refuse)
        worker.ask("d0")
        await worker.live.look()
    before = worker.count("recommend_lessons_total", outcome="learned")
    worker.ask("d1")
    await worker.live.look()
    assert worker.count("recommend_lessons_total", outcome="learned") == before + 1


async def test_items_that_were_learned_are_new_no_more() -> None:
    worker = Worker(MemoryStore())
    await worker.wake()
    worker.live._next.placed.update({hash64("i3"): 7, hash64("new1"): 2})
    await worker.live.look()
    assert worker.live.reception.items.tolist() == [hash64("new1")]


def ranked(*voices: str, popularity: float = 0.1) -> RecommendModel:
    """The shop's model with a forest beside it that is told of these voices."""
    plain = shop().model
    assert plain is not None
    model = replace(plain, weights=np.array([popularity, 1.0], np.float32))
    forest = random_forest(len(columns_of(voices)), seed=1)
    facts = np.zeros((len(model), len(ITEM)), np.float32)
    return replace(model, ranker=Ranker(voices, forest, facts))


async def test_a_mix_answers_with_the_ranker_leaning_to_it() -> None:
    worker = Worker(MemoryStore())
    model = ranked("popularity", "graph")
    worker.desk = Desk(worker.desk.catalogue, model, "m")
    await worker.wake()
    mixed = {one.mix: one.slate for one in map(worker.ask, map(str, range(300)))}
    assert {"released", "crowd"} <= mixed.keys()
    weights = next(mix.weights for mix in mixes_of(model.members, model.weights) if mix.arm)
    leaning = Desk(worker.desk.catalogue, model.mixed(weights), "m")
    assert mixed["crowd"].ids == recommend(leaning, Ask(k=5), ASKER, NOW).ids
    assert mixed["released"].ids == recommend(worker.desk, Ask(k=5), ASKER, NOW).ids
    assert mixed["crowd"].ids != mixed["released"].ids


async def test_a_mix_of_members_the_ranker_is_not_told_of_is_none() -> None:
    worker = Worker(MemoryStore())
    worker.desk = Desk(worker.desk.catalogue, ranked("graph", popularity=0.0), "m")
    await worker.wake()
    assert {worker.ask(str(number)).mix for number in range(300)} == {"released"}
