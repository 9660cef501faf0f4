import pytest

from domain.users import Profile, Purpose, may_use


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("unanswered", [True, False])
def test_who_never_answered_follows_the_deployments_rule(
    purpose: Purpose, unanswered: bool
) -> None:
    assert may_use(None, purpose, unanswered=unanswered) is unanswered
    assert may_use(Profile(), purpose, unanswered=unanswered) is unanswered


@pytest.mark.parametrize("unanswered", [True, False])
def test_an_answer_counts_for_its_purpose_alone(unanswered: bool) -> None:
    profile = Profile(consent={"personalisation": False, "analytics": True})
    assert may_use(profile, Purpose.personalisation, unanswered=unanswered) is False
    assert may_use(profile, Purpose.analytics, unanswered=unanswered) is True
    assert may_use(profile, Purpose.advertising, unanswered=unanswered) is unanswered


def test_the_purposes_are_words_of_the_interface() -> None:
    assert [purpose.value for purpose in Purpose] == [
        *("personalisation", "analytics", "advertising")
    ]


@pytest.mark.parametrize("answer", ["no", "yes", 1, None])
def test_anything_but_a_plain_yes_is_a_no(answer: object) -> None:
    profile = Profile(consent={"personalisation": answer})  # type: ignore[dict-item]
    assert may_use(profile, Purpose.personalisation, unanswered=True) is False
