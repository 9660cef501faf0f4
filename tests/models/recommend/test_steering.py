"""Controls over whole answers: `recommend` with everything that may be asked of it."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import DAY_MS
from domain.events import Kind
from domain.ids import hash64
from domain.slates import Slate
from models.recommend.ask import NOBODY, Ask, Asker, Origin, check_ask
from models.recommend.controls import NO_CONTROLS, Cap, Controls, Objective, Pin, Task, settled
from models.recommend.filters import MUST, Filter, Rule
from models.recommend.policy import recommend
from models.recommend.steering import NOT_SHOWABLE, UNKNOWN
from tests.golden.shop import ITEMS, LEARNED, NOW, asker, shop_desk, shop_model

DESK = shop_desk(shop_model())
NAMES = [*LEARNED, "honey", "cocoa", "nowhere"]
SHOWABLE = {item.item for item in ITEMS if item.is_live(NOW)} | {"candle"}
CATEGORIES = {item.item: item.categories for item in ITEMS}


def answer(controls: Controls, who: Asker = NOBODY, **fields) -> Slate:
    fields.setdefault("k", len(controls.candidates or ()) or 20)
    return recommend(DESK, check_ask(Ask(controls=controls, **fields)), who, NOW)


def happened(*past: tuple[str, Kind, float]) -> Asker:
    """Answer who did these things to items, so many days ago."""
    past = tuple(sorted(past, key=lambda event: -event[2]))
    return Asker(
        Origin.user,
        np.array([hash64(item) for item, _, _ in past], np.uint64),
        np.array([kind for _, kind, _ in past], np.uint8),
        np.array([NOW - round(days * DAY_MS) for _, _, days in past], np.int64),
    )


def test_controls_that_ask_nothing_change_nothing_but_tell_of_it():
    plain = recommend(DESK, Ask(k=5), asker("bread"), NOW)
    steered = answer(Controls(within_days=7), asker("bread"), k=5)
    assert steered.aside is not None
    assert steered._replace(aside=None) == plain
    assert plain.aside is None
    assert settled(Controls()) is NO_CONTROLS


def test_caps_pass_over_what_is_too_many():
    slate = answer(Controls(caps=(Cap("category", 1),)))
    plain = recommend(DESK, Ask(), NOBODY, NOW)
    assert slate.ids == ("bread", "milk", "candle")
    assert slate.aside is not None
    assert slate.aside.short
    assert slate.aside.passed_over >= 2
    assert [one for one in plain.ids if one in slate.ids] == list(slate.ids)
    two = answer(Controls(caps=(Cap("category", 2),)), k=4)
    assert two.ids == ("bread", "milk", "coffee", "butter")
    assert two.aside is not None
    assert not two.aside.short


def test_caps_and_diversity_go_together():
    for extra in ({"diversity": 0.9}, {}):
        controls = Controls(caps=(Cap("category", 1),), calibrated=not extra)
        slate = answer(controls, asker("butter"), exclude_seen=False, **extra)
        counts = Counter(c for one in slate.ids for c in CATEGORIES.get(one, ()))
        assert max(counts.values()) == 1


def test_pinned_items_stand_where_they_are_pinned():
    slate = answer(Controls(pinned=(Pin("cocoa", 3), Pin("tea", 1))), asker("bread"), k=4)
    assert slate.ids == ("tea", "butter", "cocoa", "jam")
    assert slate.sources[0][0].member == "pinned"
    assert slate.marks == (None,) * 4
    assert slate.aside is not None
    assert slate.aside.pinned == (0, 2)
    told = answer(Controls(pinned=(Pin("tea", 1),)), k=2, explain=True)
    assert told.sources[0][0].text


def test_pins_that_cannot_be_shown_are_skipped_and_told_of():
    pins = (Pin("soap", 1), Pin("nowhere", 2), Pin("jam", 3), Pin("milk", 4))
    slate = answer(Controls(pinned=pins), k=4, chosen=Filter(deny=("jam",)))
    assert slate.aside is not None
    assert slate.aside.skipped == (
        ("soap", NOT_SHOWABLE), ("nowhere", UNKNOWN), ("jam", NOT_SHOWABLE),
    )  # fmt: skip
    assert slate.ids[3] == "milk"
    assert not {"soap", "jam", "nowhere"} & set(slate.ids)


def test_a_pin_comes_though_it_was_seen_and_a_cap_counts_it():
    slate = answer(Controls(pinned=(Pin("bread", 2),)), asker("bread"), k=3)
    assert slate.ids == ("butter", "bread", "jam")
    capped = answer(Controls(pinned=(Pin("tea", 1),), caps=(Cap("category", 1),)))
    assert capped.ids == ("tea", "bread", "candle")


def test_a_pin_beyond_what_there_is_comes_last():
    only = (Rule("category", ("drink",), MUST),)
    slate = answer(Controls(pinned=(Pin("milk", 9), Pin("tea", 20))), rules=only)
    assert slate.ids == ("coffee", "cocoa", "milk", "tea")


def test_what_was_bought_of_late_is_held_back_and_comes_back():
    who = happened(("bread", Kind.purchase, 10), ("milk", Kind.purchase, 3), ("tea", Kind.click, 1))
    slate = answer(Controls(after_days=7), who)
    assert slate.aside is not None
    assert slate.aside.held_back == 1
    assert set(slate.ids) == SHOWABLE - {"milk"}
    assert "milk" in answer(Controls(after_days=2), who).ids
    assert "bread" not in answer(Controls(after_days=11), who).ids
    assert "milk" not in recommend(DESK, Ask(), who, NOW).ids


def test_what_was_shown_often_enough_is_held_back():
    shown = [("tea", Kind.impression, days) for days in (1, 2, 20)]
    who = happened(*shown, ("jam", Kind.impression, 1), ("jam", Kind.seen, 1))
    assert "tea" in answer(Controls(shown_at_most=3, within_days=7), who).ids
    assert "tea" not in answer(Controls(shown_at_most=3), who).ids
    # An impression that was also seen is one showing.
    found = answer(Controls(shown_at_most=2, within_days=7), who)
    assert "tea" not in found.ids
    assert "jam" in found.ids


def test_what_is_held_back_comes_for_want_of_others():
    who = happened(*[(one, Kind.purchase, 1) for one in SHOWABLE])
    slate = answer(Controls(after_days=7), who)
    assert set(slate.ids) == SHOWABLE
    assert slate.aside is not None
    assert slate.aside.released


def test_an_objective_lifts_what_is_bought_and_says_what_it_used():
    desk = shop_desk(shop_model())
    items = ["bread", "milk", "coffee"]
    deeds = np.array([[900, 900, 900], [9, 9, 400.0]])
    desk.show_trends(items, np.zeros(3), np.zeros(3), deeds)
    plain = recommend(desk, Ask(k=3), NOBODY, NOW)
    assert plain.ids == ("bread", "milk", "coffee")
    bought = recommend(desk, Ask(k=3, controls=Controls(objective=Objective.purchase)), NOBODY, NOW)
    assert bought.ids[0] == "coffee"
    assert bought.aside is not None
    assert bought.aside.aimed == ("purchase", "live", None, 3)
    blind = answer(Controls(objective=Objective.purchase), k=3)
    assert blind.ids == plain.ids
    assert blind.aside is not None
    assert blind.aside.aimed == ("purchase", "unknown", None, 0)


def test_margin_looks_at_prices():
    slate = answer(Controls(objective=Objective.margin), k=3)
    assert slate.ids[0] == "coffee"  # 9.00, of which others keep the same share
    assert slate.aside is not None
    assert slate.aside.aimed is not None
    assert slate.aside.aimed.margins == "price"


def test_freshness_lifts_what_came_late():
    old = [replace(item, created_at=NOW - 400 * DAY_MS) for item in ITEMS if item.item != "tea"]
    new = [replace(item, created_at=NOW) for item in ITEMS if item.item == "tea"]
    desk = shop_desk(shop_model(), (*old, *new))
    places = [
        recommend(desk, Ask(controls=Controls(freshness=much)), NOBODY, NOW).ids.index("tea")
        for much in (0.01, 0.5, 1.0)
    ]
    assert places[0] > places[1] >= places[2]


def test_calibration_gives_each_category_its_share():
    who = happened(*[("jam", Kind.purchase, 1)] * 3, ("tea", Kind.purchase, 2))
    slate = answer(Controls(calibrated=True), who, k=2, exclude_seen=True)
    assert "sweet" in CATEGORIES[slate.ids[0]] or "food" in CATEGORIES[slate.ids[0]]
    nobody = answer(Controls(calibrated=True), k=3)
    assert nobody.ids == recommend(DESK, Ask(k=3), NOBODY, NOW).ids


def test_re_ranking_gives_every_candidate_back():
    names = ("nowhere", "honey", "soap", "butter", "bread", "milk")
    slate = answer(Controls(candidates=names), asker("bread"))
    assert slate.ids == ("butter", "bread", "milk", "honey", "nowhere", "soap")
    assert slate.aside is not None
    assert slate.aside.unranked == (UNKNOWN, NOT_SHOWABLE)
    assert slate.listed[-2:] == (False, True)
    assert slate.unknown_items == 1
    assert answer(Controls(candidates=names), asker("bread"), k=3).ids == slate.ids[:3]
    assert answer(Controls(candidates=("nowhere",))).ids == ("nowhere",)


def test_what_is_in_the_cart_is_not_shown():
    slate = answer(Controls(task=Task.basket, basket=("bread", "nowhere")), asker("butter"))
    assert "bread" not in slate.ids
    assert slate.unknown_items == 1


def test_a_candidate_that_is_in_the_cart_comes_back_last():
    controls = Controls(task=Task.basket, candidates=("bread", "butter", "milk"), basket=("bread",))
    slate = answer(controls, k=3)
    assert slate.ids[-1] == "bread"
    assert sorted(slate.ids) == ["bread", "butter", "milk"]
    assert slate.aside is not None
    assert slate.aside.unranked == (NOT_SHOWABLE,)


PINS = st.lists(
    st.tuples(st.sampled_from(NAMES), st.integers(1, 12)),
    max_size=4, unique_by=(lambda pin: pin[0], lambda pin: pin[1]),
).map(lambda pins: tuple(Pin(*pin) for pin in pins))  # fmt: skip
CAPS = st.dictionaries(
    st.sampled_from(["category", "attributes.organic", "attributes.flavour"]), st.integers(1, 3)
).map(lambda caps: tuple(Cap(*cap) for cap in caps.items()))
PASTS = st.lists(st.sampled_from(NAMES), max_size=6).map(lambda past: asker(*past))
CONTROLS = st.builds(
    Controls,
    task=st.sampled_from([Task.recommend, Task.basket, Task.trending]),
    objective=st.sampled_from(list(Objective)),
    caps=CAPS,
    pinned=PINS,
    after_days=st.none() | st.floats(0, 1),
    shown_at_most=st.none() | st.integers(1, 2),
    freshness=st.floats(0, 1),
    calibrated=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(CONTROLS, PASTS, st.integers(12, 20), st.lists(st.sampled_from(NAMES), max_size=3))
def test_whatever_is_asked_what_was_promised_holds(controls, who, k, denied):
    slate = answer(controls, who, k=k, chosen=Filter(deny=tuple(denied)))
    aside = slate.aside
    assert aside is not None
    may = SHOWABLE - set(denied)
    assert len(set(slate.ids)) == len(slate.ids) <= k
    assert set(slate.ids) <= may
    assert bool(slate.ids) == bool(may)
    # Pins stand in place, or at the end of what there is.
    wanted = [pin for pin in sorted(controls.pinned, key=lambda p: p.place) if pin.item in may]
    assert [slate.ids[place] for place in aside.pinned] == [pin.item for pin in wanted]
    for pin, place in zip(wanted, aside.pinned, strict=True):
        later = sum(one > place for one in aside.pinned)
        assert place == pin.place - 1 or place == len(slate.ids) - 1 - later
    assert {item for item, _ in aside.skipped} == {p.item for p in controls.pinned} - may
    # No cap is exceeded but by pins alone.
    shop = {item.item: item for item in ITEMS}
    for cap in controls.caps:
        totals: Counter[str] = Counter()
        pinned: Counter[str] = Counter()
        for place, name in enumerate(slate.ids):
            if name not in shop:
                continue
            held = shop[name].attributes.get(cap.field.removeprefix("attributes."), [])
            values = shop[name].categories if cap.field == "category" else held
            keys = map(str, values if isinstance(values, (list, tuple)) else [values])
            for key in keys:
                totals[key] += 1
                pinned[key] += place in aside.pinned
        assert all(total <= max(cap.most, pinned[key]) for key, total in totals.items())


@settings(max_examples=60, deadline=None)
@given(CONTROLS, PASTS, st.integers(1, 9))
def test_the_first_of_many_are_the_best_few_unless_calibrated(controls, who, few):
    pins = tuple(pin for pin in controls.pinned if pin.place <= few)
    controls = replace(controls, calibrated=False, pinned=pins)
    many, short = answer(controls, who, k=20), answer(controls, who, k=few)
    if len(short.ids) == few:
        assert many.ids[:few] == short.ids


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([*NAMES, "gone", "soap"]), min_size=1, unique=True),
    PASTS, st.sampled_from(list(Objective)), st.floats(0, 1), st.booleans(),
    st.lists(st.sampled_from(NAMES), max_size=3),
)  # fmt: skip
def test_re_ranking_is_a_permutation(names, who, objective, fresh, calibrated, denied):
    controls = Controls(
        objective=objective, freshness=fresh, calibrated=calibrated, candidates=tuple(names)
    )
    slate = answer(controls, who, chosen=Filter(deny=tuple(denied)))
    assert sorted(slate.ids) == sorted(names)
    may = SHOWABLE - set(denied)
    ranked = [one for one in names if one in may]
    assert set(slate.ids[: len(ranked)]) == set(ranked)
    assert slate.ids[len(ranked) :] == tuple(one for one in names if one not in may)


@pytest.mark.parametrize("task", [Task.similar, Task.bought_together])
def test_no_task_answers_with_the_item_in_view(task):
    for item in ("bread", "honey", "nowhere"):
        slate = answer(Controls(task=task), item=item)
        assert item not in slate.ids
        assert slate.ids
