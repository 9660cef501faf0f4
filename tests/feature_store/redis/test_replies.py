import hiredis
import pytest

from domain.errors import StoreMisconfigured, StoreUnavailable
from feature_store.redis.replies import checked, error_of


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("NOAUTH Authentication required.", "password"),
        ("WRONGPASS invalid username-password pair or user is disabled.", "correct it"),
        ("NOPERM this user has no permissions to access one of the keys", "right"),
        ("ERR AUTH <password> called without any password configured", "correct it"),
    ],
)
def test_refusals_ask_the_operator(message: str, remedy: str) -> None:
    error = error_of(message)
    assert isinstance(error, StoreMisconfigured)
    assert remedy in str(error)


@pytest.mark.parametrize("word", ["LOADING", "OOM", "MISCONF", "READONLY", "CLUSTERDOWN", "ERR"])
def test_other_errors_pass_and_keep_ids_to_themselves(word: str) -> None:
    error = error_of(f"{word} something about h{{1}}uada")
    assert isinstance(error, StoreUnavailable)
    assert word in str(error)
    assert "uada" not in str(error)


def test_a_reply_is_answered_or_raised() -> None:
    assert checked(b"x") == b"x"
    with pytest.raises(StoreUnavailable):
        checked(hiredis.ReplyError("OOM command not allowed"))
