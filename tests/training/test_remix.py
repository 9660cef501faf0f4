"""A mix becomes the default: from real answers over their log to the pointer, and back."""

import asyncio

import numpy as np
import pytest

from domain.clock import HOUR_MS, FixedClock
from domain.decisions import Decision
from domain.errors import OperatorError
from domain.events import Event, Kind
from domain.ids import session_entity
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import Store, StoreSettings
from feature_store.switches import ALL_ON
from models.bundle import Bundle, open_bundle, read_pointer, write_bundle
from models.families import load_scorer
from models.recommend.ask import Ask, Asker, Origin
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.exploring import Question
from models.recommend.mixes import mixes_of
from models.recommend.model import RecommendModel
from service.metrics import Metrics
from service.recommend_learning import LiveRecommending, told
from training.cli import main
from training.logbook import bring_up_to_date
from training.release import champion_of
from training.remix import OF, remixed

NOW = 1_760_000_000_000


def champion(home: Home) -> tuple[Bundle, RecommendModel]:
    found = champion_of(home.bundles / "recommend")
    assert found is not None
    return found, RecommendModel.from_bundle(found)


def test_the_draft_answers_as_the_mix_does(walked, capsys):
    assert main(["release"]) == 0
    bundle, model = champion(walked)
    mix = mixes_of(model.members, model.weights)[1]
    written = write_bundle(walked.bundles, remixed(bundle, model, mix.name, NOW))
    load_scorer(written)  # golden rows are answered as they were written down
    made = RecommendModel.from_bundle(written)
    assert np.array_equal(made.weights, mix.weights)
    assert made.members == model.members
    assert written.manifest.settings[OF] == {"version": bundle.version, "mix": mix.name}
    assert not written.manifest.metrics
    with pytest.raises(OperatorError, match=f"no other mix 'again'; it has {mix.name}"):
        remixed(bundle, model, "again", NOW)
    with pytest.raises(OperatorError, match="no other mix 'released'"):
        remixed(bundle, model, "released", NOW)


def current(home: Home) -> str:
    pointer = read_pointer(home.bundles / "recommend")
    assert pointer is not None
    return pointer.version


async def answer_and_tell(store: Store, desk: Desk, better: str, count: int) -> None:
    """Give answers as the service does, log them, and click those of one mix more often."""
    clock, rng = FixedClock(NOW), np.random.default_rng(5)
    live = LiveRecommending(store, clock, Metrics(), lambda: desk, lambda: ALL_ON)
    live.outcomes([Event("e", "s", Kind.click, NOW, "item00", decision_id="nobody's")])
    for _ in range(3):
        await live.look()
    assert desk.model is not None
    decisions, events, hashes = list[Decision](), list[Event](), desk.model.hashes
    for number in range(count):
        asker = Asker(
            Origin.user, hashes[[number % 24]], np.full(1, Kind.click, np.uint8),
            np.array([NOW - 1_000]),
        )  # fmt: skip
        page = ("home", "cart")[number % 2]
        mixed = live.answer(Question(desk, Ask(k=5), asker, NOW), f"d{number}", page=page)
        request = told(f'{{"k":5,"context":{{"page":"{page}"}}}}', mixed)
        decisions.append(
            Decision(
                f"d{number}", NOW + number, "recommend", session_entity(f"s{number}"), desk.name,
                NOW, mixed.slate.ids, mixed.slate.scores, mixed.propensities, "", mixed.mix,
                request,
            )
        )  # fmt: skip
        if rng.random() < (0.8 if mixed.mix == better else 0.2):
            events.append(
                Event(
                    f"c{number}", session_entity(f"s{number}"), Kind.click, NOW + number + 5_000,
                    mixed.slate.ids[0], decision_id=f"d{number}",
                )
            )  # fmt: skip
    await store.log_decisions(decisions)
    await store.append(events, NOW + HOUR_MS)


def fill(home: Home, better: str, count: int = 1_200) -> None:
    bundle, model = champion(home)
    desk = Desk(Catalogue(model.items, model.hashes), model, f"recommend/{bundle.version}")

    async def work() -> None:
        store = await open_store(settings, home)
        try:
            await answer_and_tell(store, desk, better, count)
        finally:
            await store.close()

    settings = StoreSettings(buckets=4)
    asyncio.run(work())
    bring_up_to_date(settings, home, None)


def test_from_answers_to_another_default_and_back(walked, capsys):
    assert main(["release"]) == 0
    bundle, model = champion(walked)
    mix = mixes_of(model.members, model.weights)[1].name
    folder = walked.bundles / "recommend"
    assert main(["evaluate", "--mixes"]) == 4, "nothing was told yet"
    assert main(["release", "--mix", mix]) == 3
    assert "mixes are drawn once an app tells" in capsys.readouterr().err
    assert current(walked) == bundle.version
    assert len(list(folder.glob("2*"))) == 1, "a refused mix leaves nothing behind"

    fill(walked, mix)
    assert main(["evaluate", "--mixes", "--until", "2026-01-01"]) == 0
    shown = capsys.readouterr().out
    assert f"recommend/{bundle.version}\n1,200 answers; reward an answer" in shown
    assert "page home\n600 answers" in shown
    assert "page cart\n600 answers" in shown
    assert shown.count(f"advised default: {mix}") == 3
    assert f"release recommend --mix {mix}" in shown

    assert main(["release", "--mix", mix]) == 0
    shown = capsys.readouterr().out
    assert f"passed default_mix: {mix} gains SNIPS +" in shown
    made = open_bundle(folder / current(walked))
    assert made.manifest.settings[OF] == {"version": bundle.version, "mix": mix}
    assert main(["rollback"]) == 0
    assert current(walked) == bundle.version


def test_a_mix_that_loses_needs_an_explicit_word(walked, capsys):
    assert main(["release"]) == 0
    bundle, model = champion(walked)
    mix = mixes_of(model.members, model.weights)[1].name
    fill(walked, "released", 800)
    capsys.readouterr()
    assert main(["evaluate", "--mixes", "--since", "2025-01-01"]) == 0
    assert "nothing to do: no mix is proven" in capsys.readouterr().out
    assert main(["release", "--mix", mix]) == 3
    refused = capsys.readouterr().err
    assert "default_mix" in refused
    assert "--unproven-mix" in refused
    assert current(walked) == bundle.version
    assert main(["release", "--mix", mix, "--unproven-mix"]) == 0
    assert "passed default_mix: taken unproven, as asked" in capsys.readouterr().out
    assert current(walked) != bundle.version


@pytest.mark.parametrize(
    "wrong",
    [
        ["evaluate", "churn", "--mixes"], ["evaluate", "--mixes", "--lists", "a.csv"],
        ["evaluate", "--since", "2025-01-01"], ["evaluate", "--mixes", "--since", "soon"],
        ["evaluate", "--mixes"], ["release", "--mix", "crowd"],
        ["release", "churn", "--mix", "crowd"], ["release", "--mix", "crowd", "--version", "v"],
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_told(wrong, walked, capsys):
    assert main(wrong) in (2, 4, 5, 6)
    assert "Traceback" not in capsys.readouterr().err
