"""Programs that say what they are."""

import pytest

from service.openrtb.agents import is_robot


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)", "curl/8.5.0", "python-requests/2.31",
        "Mozilla/5.0 HeadlessChrome/120.0", "facebookexternalhit/1.1", "Baiduspider",
    ],
)  # fmt: skip
def test_those_that_say_so(agent: str) -> None:
    assert is_robot(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "", "Mozilla", "test-user-agent",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15",
        "Mozilla/5.0 (Linux; Android 13; CUBOT X50) Chrome/120.0 Mobile",
    ],
)  # fmt: skip
def test_browsers_and_the_unknown(agent: str) -> None:
    # CUBOT makes telephones.
    assert not is_robot(agent)
