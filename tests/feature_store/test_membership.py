"""Who is in a segment by what the store holds; and who may not be asked."""

import pytest

from domain.events import Kind
from domain.scores import Score
from domain.users import Profile
from feature_store.membership import families_of, member_of, named_of, needs_history
from feature_store.segments import Segment, Segments
from feature_store.store import EntityState
from tests.feature_store.making import T0, event, state_of

NOW = T0 + 1_000


def _named(**where: str):
    made = {name: Segment(name, text, "", 1, T0, T0) for name, text in sorted(where.items())}
    why: list[str] = []
    return named_of(Segments(1, made), why.append), why


def _state(events: int = 0, consent: dict[str, bool] | None = None, **scores: Score) -> EntityState:
    rows = [event(f"e{n}", Kind.purchase, T0 + n, item="tea", value=10**6) for n in range(events)]
    profile = Profile(attributes={"level": "gold", "age": 30}, consent=consent or {})
    return EntityState(*state_of(rows), profile, True, "", scores)


def _in(state: EntityState, where: dict[str, str], unanswered: bool = True) -> tuple[str, ...]:
    return member_of(_named(**where)[0], state, NOW, 512, unanswered)


def test_attributes_views_and_scores_may_be_asked() -> None:
    told = Score(0.8, 0.9, T0)
    intent = Score(0.3, 0.9, T0)
    state = _state(2, churn=told, intent=intent)
    where = {
        "gold": 'attributes.level = "gold"',
        "young": "attributes.age < 20",
        "buyers": "rfm.orders_90d >= 1",
        "leaving": "churn.probability > 0.5",
        "sure": "churn.probability > 0.9",
        "keen": "intent.probability > 0.2",
        "lifted": "uplift.effect > 0 or uplift.effect <= 0",
    }
    assert _in(state, where) == ("buyers", "gold", "keen", "leaving")
    assert _in(EntityState(*state_of([])), where) == ()


def test_consent_is_asked_before_anything_is_looked_at() -> None:
    where = {"gold": 'attributes.level = "gold"', "keen": "intent.probability > 0.2"}
    intent = Score(0.3, 0.9, T0)
    assert _in(_state(consent={"analytics": False}, intent=intent), where) == ()
    assert _in(_state(intent=intent), where, unanswered=False) == ()
    refused = {"personalisation": False, "analytics": True}
    assert _in(_state(consent=refused, intent=intent), where) == ("gold",)


@pytest.mark.parametrize(
    ("where", "needs"),
    [("attributes.age > 3", False), ("churn.value > 3", False), ("breadth.items > 3", True)],
)
def test_a_history_is_read_only_where_a_view_is_named(where: str, needs: bool) -> None:
    named, _ = _named(one=where)
    assert needs_history(named) == needs
    assert families_of(named) == {where.partition(".")[0]}


def test_what_cannot_be_read_is_left_out_and_told() -> None:
    named, why = _named(good="attributes.age > 3", bad="nothing.such > 3")
    assert [one.name for one in named] == ["good"]
    assert len(why) == 1
