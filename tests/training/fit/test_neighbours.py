import numpy as np
import pytest

from domain.clock import DAY_MS
from models.recommend.neighbours import Nearness
from tests.models.recommend.small import past_of
from tests.training.worlds import START, chain, checkerboard, full_of_rows
from training.fit.neighbours import MINUTE_MS, fit_neighbours, session_starts

AS_OF = START + 100 * DAY_MS
PARAMS = {"gap_minutes": None, "longest": 100, "recent": 100, "decay": 0.5}


def sessions_of(member):
    """Answer [items of each session], most recent first."""
    log = member.arrays()
    return [log["items"][a:b].tolist() for a, b in zip(log["ends"], log["ends"][1:], strict=False)]


def naive(full, params):
    """Cut, bound and order sessions in plain Python; answers (items, last time) of each."""
    out = []
    for a, b in zip(full.offsets[:-1], full.offsets[1:], strict=True):
        session = []
        for j in range(a, b):
            gap = params["gap_minutes"]
            if session and gap is not None and full.ats[j] - full.ats[j - 1] > gap * MINUTE_MS:
                out.append(session)
                session = []
            session.append((int(full.items[j]), int(full.ats[j])))
        out.append(session)
    kept = [one[-params["longest"] :] for one in out]
    return sorted([one for one in kept if len(one) > 1], key=lambda one: -one[-1][1])


def random_log(seed):
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(20):
        days = np.sort(rng.choice(60, rng.integers(1, 12), replace=False))
        rows += [(f"{user}", f"i{rng.integers(8)}", int(day)) for day in days]
    return full_of_rows(rows)[0]


@pytest.mark.parametrize("gap_days", [None, 2, 6])
@pytest.mark.parametrize("longest", [2, 5, 100])
@pytest.mark.parametrize("recent", [1, 3, 100])
def test_sessions_are_cut_bounded_and_ordered(gap_days, longest, recent):
    full = random_log(longest)
    # All times differ, so that there is one order.
    full = full._replace(ats=full.ats + np.arange(len(full.ats)))
    gap = None if gap_days is None else gap_days * 24 * 60.0 + 1
    params = PARAMS | {"gap_minutes": gap, "longest": longest, "recent": recent}
    log = fit_neighbours(full, AS_OF, params, 0.0).arrays()
    wanted = naive(full, params)
    assert sessions_of(fit_neighbours(full, AS_OF, params, 0.0)) == [
        [item for item, _ in one] for one in wanted
    ]
    ages = [(AS_OF - one[-1][1]) / DAY_MS for one in wanted]
    np.testing.assert_allclose(log["days"], ages, rtol=1e-6)
    for item in range(full.n_items):
        holders = [s for s, one in enumerate(wanted) if item in [i for i, _ in one]]
        held = log["sessions"][log["offsets"][item] : log["offsets"][item + 1]]
        assert held.tolist() == holders[:recent]
        assert log["counts"][item] == len(holders)


def test_every_user_starts_a_session_however_soon():
    full, _ = full_of_rows([("a", "x", 0), ("a", "y", 1), ("b", "x", 1), ("b", "y", 3)])
    assert session_starts(full, None).tolist() == [0, 2]
    assert session_starts(full, 24 * 60.0).tolist() == [0, 2, 3]
    assert session_starts(full, 24 * 60.0 - 1).tolist() == [0, 1, 2, 3]


def test_the_step_of_the_chain_is_proposed_first():
    full, items = full_of_rows(chain())
    member = fit_neighbours(full, AS_OF, PARAMS | {"near": 0.5, "reverse": 0.1}, 0.0)
    out = np.empty(30, np.float32)
    for i in range(30):
        member.raw(past_of([i]), out)
        assert items[out.argmax()] == f"i{(int(items[i][1:]) + 1) % 30:02d}"


def test_nothing_of_the_other_colour_of_a_checkerboard_is_proposed():
    full, items = full_of_rows(checkerboard())
    member = fit_neighbours(full, AS_OF, PARAMS, 0.0)
    out = np.empty(40, np.float32)
    for i in range(40):
        member.raw(past_of([i]), out)
        proposed = {int(items[other][1:]) % 2 for other in np.flatnonzero(out)}
        assert proposed == {int(items[i][1:]) % 2}


def test_no_trace_of_users_is_left():
    """The same sessions under other names and in another order make the same arrays."""
    rows = checkerboard()
    names = np.random.default_rng(0).permutation(80)
    # A session's last time tells it from every other.
    rows = [(user, item, day + 30 * int(user)) for user, item, day in rows]
    moved = sorted((f"{names[int(user)]:02d}", item, day) for user, item, day in rows)
    one, items = full_of_rows(rows)
    two, others = full_of_rows(moved)
    place = np.array([items.index(item) for item in others])
    a = fit_neighbours(one, AS_OF, PARAMS, 0.0).arrays()
    b = fit_neighbours(two, AS_OF, PARAMS, 0.0).arrays()
    assert a["items"].tolist() == place[b["items"]].tolist()
    assert a["ends"].tolist() == b["ends"].tolist()


def test_numbers_not_named_are_those_of_nearness():
    full, _ = full_of_rows(chain())
    wanted = Nearness(decay=0.5, own=1.0)
    assert fit_neighbours(full, AS_OF, PARAMS, 1.0).nearness == wanted


def test_no_events_make_no_sessions():
    full, _ = full_of_rows(chain())
    member = fit_neighbours(full.until(full.offsets[:-1]), AS_OF, PARAMS, 0.0)
    out = np.ones(30, np.float32)
    member.raw(past_of([1, 2]), out)
    assert not out.any()
