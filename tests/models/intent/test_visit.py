"""The visit that is going on: the same cut and the same past as the table that is learned from."""

import numpy as np
import pytest

from models.intent.past import ECHOES, PRIOR, SESSION
from models.intent.renown import RENOWN, unheard
from models.intent.visit import add_renown, session_visit, visit_of, with_past
from tests.models.intent.making import GAP_MS, START, columns
from training.fit.intent.renown import table_of
from training.fit.intent.sessions import Stream, cut

LATER = START + 10**12


def test_only_the_last_session_is_the_visit() -> None:
    own = columns(10)
    ats = own.ats.copy()
    ats[6:] += GAP_MS + 60_001
    visit = visit_of(own._replace(ats=ats), LATER, GAP_MS, unheard())
    assert visit.columns.ats.tolist() == ats[6:].tolist()
    assert visit.events == 4


def test_an_event_at_as_of_is_not_seen() -> None:
    own = columns(5)
    visit = visit_of(own, int(own.ats[3]), GAP_MS, unheard())
    assert visit.columns.ats.tolist() == own.ats[:3].tolist()


@pytest.mark.parametrize("as_of", [0, START])
def test_before_the_first_event_there_is_no_visit(as_of: int) -> None:
    visit = visit_of(columns(5), as_of, GAP_MS, unheard())
    assert visit.events == len(visit.columns.ats) == len(visit.echoes) == 0
    assert np.isnan(visit.prior).all()


def test_it_reads_what_the_table_holds() -> None:
    own = columns(120, seed=3, pause_ms=2 * GAP_MS)
    stream = Stream(np.array([1], np.uint64), np.array([0, 120]), *own)
    table = cut(stream, GAP_MS, until=0)
    renown = table_of(own.kinds[:0], own.items[:0], own.categories[:0])
    assert len(table) > 5
    for s in range(len(table)):
        rows = slice(table.offsets[s], table.offsets[s + 1])
        visit = visit_of(own, int(table.ats[rows][-1]) + 1, GAP_MS, renown)
        assert np.array_equal(visit.columns.ats, table.ats[rows])
        assert np.array_equal(visit.columns.items, table.items[rows])
        assert np.array_equal(visit.prior, table.prior[s], equal_nan=True)
        assert np.array_equal(visit.echoes, table.echoes[rows], equal_nan=True)


def test_of_a_long_session_the_first_events_are_read() -> None:
    own = columns(SESSION + 50)
    visit = visit_of(own, LATER, GAP_MS, unheard())
    assert visit.events == SESSION + 50
    assert np.array_equal(visit.columns.ats, own.ats[:SESSION])


def test_read_only_bytes_are_read_too() -> None:
    own = columns(5)
    for one in own:
        one.flags.writeable = False
    assert visit_of(own, LATER, GAP_MS, unheard()).events == 5


def test_inline_events_are_one_session_without_a_past_but_with_renown() -> None:
    own = columns(4)
    visit, as_of = session_visit(own, table_of(own.kinds, own.items, own.categories))
    assert as_of == own.ats[-1] + 1
    assert np.isnan(visit.prior).all()
    assert np.isnan(visit.echoes[:, : -len(RENOWN)]).all()
    assert np.isfinite(visit.echoes[:, -len(RENOWN) :]).all()


def test_inline_events_may_bring_their_past() -> None:
    own = columns(4)
    prior, echoes = np.arange(len(PRIOR), dtype=float), np.ones((4, len(ECHOES)))
    visit, _ = session_visit(own, unheard(), prior=prior, echoes=echoes, as_of=int(own.ats[2]))
    assert visit.events == 2
    assert np.array_equal(visit.prior, prior)
    assert np.array_equal(visit.echoes, echoes[:2])


@pytest.mark.parametrize(
    ("prior", "echoes"), [(np.zeros(3), None), (None, np.zeros((3, len(ECHOES))))]
)
def test_a_past_of_another_width_is_refused(
    prior: np.ndarray | None, echoes: np.ndarray | None
) -> None:
    with pytest.raises(ValueError, match="another width"):
        session_visit(columns(4), unheard(), prior=prior, echoes=echoes)


def test_columns_of_different_lengths_are_refused() -> None:
    own = columns(4)
    with pytest.raises(ValueError, match="different lengths"):
        with_past(own._replace(items=own.items[:2]), np.array([0, 4]), None, None)


def test_renown_is_written_beside_what_is_there() -> None:
    own = columns(4)
    echoes = np.zeros((4, len(ECHOES)))
    add_renown(own.items, own.categories, table_of(own.kinds, own.items, own.categories), echoes)
    assert not echoes[:, : -len(RENOWN)].any()
    assert (echoes[:, -len(RENOWN) :] > 0).all()
