import pytest

from domain import errors
from domain.errors import (
    BadBody,
    BadField,
    BundleRefused,
    CallerError,
    GateFailed,
    NotFound,
    OperatorError,
    SanderlingError,
    ScientistError,
    StoreMisconfigured,
    StoreUnavailable,
    TooLittleData,
    Unavailable,
)

BRANCHES = {
    CallerError: [BadField, BadBody, NotFound],
    OperatorError: [StoreMisconfigured, BundleRefused],
    ScientistError: [TooLittleData, GateFailed],
    Unavailable: [StoreUnavailable],
}


@pytest.mark.parametrize("branch", BRANCHES, ids=lambda branch: branch.__name__)
def test_each_error_says_who_must_act(branch: type[SanderlingError]) -> None:
    assert issubclass(branch, SanderlingError)
    for leaf in BRANCHES[branch]:
        assert issubclass(leaf, branch)
        others = [other for other in BRANCHES if other is not branch]
        assert not any(issubclass(leaf, other) for other in others)


def test_the_drawing_names_every_error() -> None:
    drawn = errors.__doc__ or ""
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, SanderlingError):
            assert name in drawn


def test_a_callers_error_carries_code_field_and_message() -> None:
    error = BadField("too long", field="item")
    assert (error.code, error.field, error.message, str(error)) == (
        *("bad_field", "item", "too long"),
        "too long",
    )
    assert CallerError("x", code="already_identified").code == "already_identified"
    assert NotFound("x").code == "not_found"
    assert (BadBody("x").code, BadBody("x").field) == ("bad_body", "")
