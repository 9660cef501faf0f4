"""A fair contest: nobody has learned what is asked, and numbers of items never mix."""

from dataclasses import replace

import numpy as np
import pytest

from domain.clock import DAY_MS
from domain.events import Event, Kind
from feature_store.history import History
from models import families
from models.bundle import Bundle, DataStamp, Manifest
from tests.models.recommend.small import ranked_model, small_model
from tests.training.worlds import full_of_rows
from training.evaluate import contest
from training.evaluate.contest import hold, in_numbers_of, tuned_of
from training.fit.recommend import fit
from training.fit.settings import RecommendSettings
from training.splits import Cases, Interactions

START = 1_600_000_000_000
ITEMS = tuple(f"item{n:02}" for n in range(12))


def walk(users=range(30), days=range(14)) -> list[Event]:
    """Users who go round a ring of items, one a day: what follows is known from the last."""
    return [
        Event(
            event_id=f"e{u}-{d}",
            entity=f"uw{u}",
            kind=Kind.purchase,
            at=START + d * DAY_MS + u * DAY_MS // 30,
            item=ITEMS[(u * 5 + d) % 12],
        )
        for d in days
        for u in users
    ]


def silent(**_):
    from contextlib import nullcontext

    return nullcontext(contest._SilentBar())


def fitted(events, monkeypatch, members=("popularity", "graph"), items=ITEMS) -> Bundle:
    """Fit, and dress the outcome as an opened bundle whose scorer is the model itself."""
    history = History.from_events(events)
    settings = RecommendSettings(members=members, min_cases=5, split="time", repeats=True)
    found = fit(history, items, settings, silent)
    ats = history.records["at"]
    stamp = DataStamp("", len(ats), int(ats.min()), int(ats.max()), found.split)
    manifest = Manifest(
        family="recommend",
        version=str(id(found)),
        created_at=0,
        metrics=found.metrics,
        data=stamp,
        views={},
        commit="",
        params={},
        settings={"fit": {"members": members, "min_cases": 5}, "tuned": found.params},
        size=0,
        files={},
    )
    bundle = Bundle(None, manifest, {"model": found.model}, {}, None)
    monkeypatch.setitem(families.SCORERS, "recommend", lambda bundle: bundle.arrays["model"])
    return bundle


def mean(cases, metric="ndcg_at_10") -> float:
    return float(cases[metric].mean())


def test_the_challenger_is_measured_as_its_fit_measured_it(monkeypatch):
    bundle = fitted(walk(), monkeypatch)
    cases = hold(History.from_events(walk()), bundle, None).cases
    metrics = bundle.manifest.metrics
    assert mean(cases["challenger"]) == pytest.approx(metrics["ndcg_at_10"].value, abs=1e-9)
    recorded = metrics["popularity_ndcg_at_10"].value
    assert mean(cases["popularity"]) == pytest.approx(recorded, abs=1e-9)
    assert "champion" not in cases


def test_what_arrived_after_the_fit_is_not_asked(monkeypatch):
    bundle = fitted(walk(), monkeypatch)
    later = walk(users=range(30, 60), days=range(14, 20))
    now = hold(History.from_events(walk() + later), bundle, None).cases
    then = hold(History.from_events(walk()), bundle, None).cases
    np.testing.assert_array_equal(now["challenger"]["hr_at_10"], then["challenger"]["hr_at_10"])


def test_a_champion_that_saw_the_test_split_is_learned_again(monkeypatch):
    challenger = fitted(walk(), monkeypatch)
    champion = fitted(walk(), monkeypatch, members=("popularity",))
    found = hold(History.from_events(walk()), challenger, champion)
    assert "learned again" in found.note
    np.testing.assert_array_equal(
        found.cases["champion"]["ndcg_at_10"], found.cases["popularity"]["ndcg_at_10"]
    )
    assert mean(found.cases["challenger"]) > mean(found.cases["champion"])


def test_a_champion_that_ends_before_the_test_split_is_scored_as_it_is(monkeypatch):
    early = [event for event in walk() if event.at < START + 10 * DAY_MS]
    champion = fitted(early, monkeypatch)
    challenger = fitted(walk(), monkeypatch)
    assert champion.manifest.data.last_at < challenger.manifest.data.split["test_from"]
    found = hold(History.from_events(walk()), challenger, champion)
    assert found.note == contest._FROM_BUNDLE
    assert mean(found.cases["champion"], "hr_at_5") > 0.9


def test_the_same_champion_with_its_items_in_another_order_scores_the_same(monkeypatch):
    early = [event for event in walk() if event.at < START + 10 * DAY_MS]
    one = fitted(early, monkeypatch)
    other = fitted(early, monkeypatch, items=ITEMS[::-1])
    challenger = fitted(walk(), monkeypatch)
    history = History.from_events(walk())
    a, b = (hold(history, challenger, champion).cases["champion"] for champion in (one, other))
    np.testing.assert_allclose(a["hr_at_5"], b["hr_at_5"])


def test_a_member_this_release_does_not_know_is_scored_from_the_bundle_and_said(monkeypatch):
    challenger, champion = fitted(walk(), monkeypatch), fitted(walk(), monkeypatch)
    model = champion.arrays["model"]
    champion.arrays["model"] = replace(model, members=("popularity", "lost"))
    found = hold(History.from_events(walk()), challenger, champion)
    assert "favours the champion" in found.note
    assert mean(found.cases["champion"]) > 0.9


def test_other_splits_of_the_same_log_can_be_asked(monkeypatch):
    bundle = fitted(walk(), monkeypatch)
    history = History.from_events(walk())
    by_position = hold(history, bundle, None, "leave-one-out").cases["challenger"]
    assert len(by_position["hr_at_5"]) == 30
    by_time = hold(history, bundle, None, "time").cases["challenger"]
    fitted_as = hold(history, bundle, None, "as-fitted").cases["challenger"]
    np.testing.assert_array_equal(by_time["hr_at_5"], fitted_as["hr_at_5"])


def test_items_are_renumbered_and_unknown_targets_count_as_missed(monkeypatch):
    lead = fitted(walk(), monkeypatch).arrays["model"]
    rival = fitted(walk(), monkeypatch, items=("item03", "item01", "item00")).arrays["model"]
    number = {item: lead.items.index(item) for item in ITEMS}
    names = ["item01", "item02", "item03", "item00", "item05"]
    full = Interactions(
        12,
        np.array([0, 3, 5]),
        np.array([number[name] for name in names], np.int32),
        np.full(5, 5, np.uint8),
        np.arange(5),
        np.array([0, 1, 2, 0, 1]),
        np.ones(5, np.float32),
    )
    cases = Cases(
        np.array([0, 1]),
        np.array([0, 3]),
        np.array([2, 4]),
        np.array([2, 4]),
        np.array([number["item03"], number["item05"]], np.int32),
        np.array([0, 1, 2]),
    )
    known, asked = in_numbers_of(rival, lead, full, cases)
    assert [rival.items[i] for i in known.items] == ["item01", "item03", "item00"]
    assert known.offsets.tolist() == [0, 2, 3]
    histories = [
        [rival.items[i] for i in known.items[a:b]]
        for a, b in zip(asked.starts, asked.ends, strict=True)
    ]
    assert histories == [["item01"], ["item00"]]
    assert asked.targets.tolist() == [rival.items.index("item03"), -2]


def test_a_ranker_is_kept_and_told_again_of_its_members(monkeypatch):
    """What a contest learns again is members and facts of items; the forest stays."""
    model = ranked_model(20)
    bundle = fitted(walk(), monkeypatch)
    tuned = tuned_of(bundle, model)
    assert tuned.decision.ranker.forest is model.ranker.forest
    full, _ = full_of_rows([("a", f"i{i}", i) for i in range(20)])
    ranker = tuned.decision.ranker.beside(full, START)
    assert ranker.voices == model.ranker.voices
    assert ranker.most == model.ranker.most
    assert (ranker.facts != model.ranker.facts).any()
    assert tuned_of(bundle, small_model(20)).decision is None


def test_a_mix_that_was_made_the_default_is_measured_as_it_answers(monkeypatch):
    """With a ranker a mix is what its order leans to: without it another model would be judged."""
    model = ranked_model(20)
    raised = model.weights.copy()
    raised[model.members.index("factors")] += 9.0
    mixed = model.mixed(raised)
    bundle = fitted(walk(), monkeypatch)
    full, _ = full_of_rows([("a", f"i{i}", i) for i in range(20)])
    ranker = tuned_of(bundle, mixed).decision.ranker.beside(full, START)
    assert ranker.lean.tolist() == mixed.ranker.lean.tolist()
    assert tuned_of(bundle, model).decision.ranker.beside(full, START).lean is None
