from dataclasses import replace

import numpy as np
import pytest

from models.recommend.candidates import Scene
from tests.training.answering import ITEMS, shop
from training.fit.answers import answers_of
from training.fit.examination import Examination
from training.fit.scenes import DOUBT, LEAST_PEOPLE, names_of, scenery_of, taken_of

FLAT = Examination(0.0, 0.0, 0.0, 0)


def told(examination=FLAT, **world):
    history, rows, items = shop(**world)
    answers = answers_of(rows, history)
    number = {item: place for place, item in enumerate(items)}
    numbers = np.array([number[item] for row in rows for item in row["items"]], np.int32)
    return answers, taken_of(answers, numbers, examination, len(items))


def naive(taken, names, kind, until):
    """Clicks over those expected, one row after the other."""
    answers, said = taken.answers, (taken.answers.devices, taken.answers.pages)[kind]
    shown, clicks = {}, {}
    for row, owner in enumerate(answers.owners.tolist()):
        if answers.ats[owner] + answers.window_ms <= until:
            where = said[owner] if said[owner] in names[kind] else None
            key = where, int(taken.numbers[row])
            shown[key] = shown.get(key, 0) + taken.chances[row]
            clicks[key] = clicks.get(key, 0) + bool(answers.taken[row])
    rate = max(sum(clicks.values()), 1) / max(sum(shown.values()), 1)

    def rate_of(chosen):
        keys = [key for key in shown if chosen(key)]
        more = sum(shown[key] for key in keys) + DOUBT / rate
        return (sum(clicks[key] for key in keys) + DOUBT) / more

    out = np.zeros((len(names[kind]), taken.n_items))
    for at, name in enumerate(names[kind]):
        for item in range(taken.n_items):
            key = name, item
            own, there = rate_of(lambda k, i=item: k[1] == i), rate_of(lambda k, n=name: k[0] == n)
            expected = shown.get(key, 0) * own * there / rate
            out[at, item] = np.log((clicks.get(key, 0) + DOUBT) / (expected + DOUBT))
    return out


def test_equals_a_naive_count():
    _, taken = told(Examination(1.0, 0.9, 1.1, 500), users=60, each=6)
    ats = taken.answers.ats
    names = (("mobile",), ("home",))
    for until in (int(np.median(ats)), int(ats.max()) + 10**9):
        found = scenery_of(taken, names, until)
        for kind in (0, 1):
            np.testing.assert_allclose(found.lifts[kind], naive(taken, names, kind, until), 1e-5)


def test_what_is_wanted_on_a_device_is_lifted_there():
    answers, taken = told(users=200, each=12)
    names = names_of(answers)
    assert sorted(names[0]) == ["desktop", "mobile"]
    assert names[1] == ("home",)
    found = scenery_of(taken, names, int(answers.ats.max()) + 10**9)
    for name, even in (("mobile", True), ("desktop", False)):
        rows = found.tell(np.arange(ITEMS, dtype=np.int32), Scene(device=name))
        lift = rows[:, 0]
        wanted = np.arange(ITEMS) % 2 == (0 if even else 1)
        assert lift[wanted].min() > lift[~wanted].max()
    # On the one page that there is nothing is taken more than elsewhere.
    assert np.abs(found.lifts[1]).max() < 0.1


def test_nothing_is_known_before_it_came():
    answers, taken = told(users=60, each=6)
    first = int(answers.ats[0])
    names = (("mobile", "desktop"), ("home",))
    assert not scenery_of(taken, names, first + answers.window_ms - 1).lifts[0].any()
    half = int(np.median(answers.ats))
    early = replace(answers, taken=answers.taken & (answers.ats[answers.owners] < half))
    before = scenery_of(taken._replace(answers=early), names, half)
    assert (before.lifts[0] == scenery_of(taken, names, half).lifts[0]).all()


def test_a_scene_needs_many_people_and_a_name_that_can_be_shown():
    answers, _ = told(users=LEAST_PEOPLE, each=6)
    count = len(answers)
    owners = answers.people.tolist()
    one = owners[0]
    pages = tuple("mine" if who == one else "a" * 65 for who in owners)
    assert names_of(replace(answers, pages=pages))[1] == ()
    assert names_of(replace(answers, pages=("home",) * count))[1] == ("home",)
    assert names_of(replace(answers, pages=("ho\nme",) * count))[1] == ()
    some = tuple("home" if who != one else "" for who in owners)
    assert names_of(replace(answers, pages=some))[1] == ()
    rare = answers_with_pages(answers, [f"p{place % 150}" for place in range(count)])
    assert names_of(rare)[1] == ()


def answers_with_pages(answers, pages):
    return replace(answers, pages=tuple(pages))


def test_no_more_than_a_few_get_a_column():
    answers, _ = told(users=60, each=20)
    pages = [f"p{place % 20}" for place in range(len(answers))]
    found = names_of(answers_with_pages(answers, pages))[1]
    assert len(found) == 8
    assert found == tuple(sorted(found))


@pytest.mark.parametrize("kind", [0, 1])
def test_unknown_items_count_for_nothing(kind):
    answers, taken = told(users=60, each=6)
    names = (("mobile", "desktop"), ("home",))
    gone = taken._replace(numbers=np.where(taken.numbers == 3, -1, taken.numbers))
    end = int(answers.ats.max()) + 10**9
    found = scenery_of(gone, names, end).lifts[kind]
    assert np.abs(found[:, 3]).max() < 1e-6
