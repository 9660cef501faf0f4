"""A context is a row of numbers of about 1: origin, length of history, hour, item, device."""

import numpy as np
import pytest

from domain.clock import DAY_MS, HOUR_MS
from models.recommend.ask import Origin
from models.recommend.contexts import FEATURES, WIDTH, as_row, context_of, device_class


def told(**changes):
    asked = {"origin": Origin.user, "events": 0, "now_ms": 0, "viewing": False, "device": ""}
    asked |= changes
    found = context_of(
        asked["origin"], asked["events"], asked["now_ms"], viewing=asked["viewing"],
        device=asked["device"],
    )  # fmt: skip
    return dict(zip(FEATURES, found, strict=True))


def test_whose_history_it_is():
    assert (told()["user"], told()["session"]) == (1.0, 0.0)
    for origin in (Origin.session, Origin.history):
        assert (told(origin=origin)["user"], told(origin=origin)["session"]) == (0.0, 1.0)
    nobody = told(origin=Origin.nobody)
    assert (nobody["always"], nobody["user"], nobody["session"]) == (1.0, 0.0, 0.0)


def test_the_hour_goes_round():
    six, midnight = told(now_ms=6 * HOUR_MS + 5), told(now_ms=7 * DAY_MS + HOUR_MS - 1)
    assert (six["hour_sin"], round(six["hour_cos"], 9)) == (1.0, 0.0)
    assert (midnight["hour_sin"], midnight["hour_cos"]) == (0.0, 1.0)


def test_more_events_say_more_up_to_a_point():
    lengths = [told(events=count)["events"] for count in (0, 5, 50, 512, 10_000)]
    assert lengths == sorted(lengths)
    assert lengths[0] == -1.0
    assert lengths[3] == lengths[4]


def test_device_and_item():
    assert told(device="Mobile")["mobile"] == 1.0
    assert told(device="desktop")["mobile"] == told()["mobile"] == 0.0
    assert told(viewing=True)["item_in_view"] == 1.0


def test_a_row_has_the_right_width_and_numbers():
    numbers = tuple(told().values())
    assert as_row(numbers).shape == (WIDTH,)
    for wrong in (numbers[1:], (*numbers[1:], np.nan)):
        with pytest.raises(ValueError, match="a context"):
            as_row(wrong)


@pytest.mark.parametrize("name", ["Mobile", " phone", "IOS", "app", "android"])
def test_what_is_held_in_a_hand_is_mobile(name):
    assert device_class(name) == "mobile"
    assert told(device=name)["mobile"] == 1.0


def test_other_devices_keep_their_names():
    assert device_class("Desktop ") == "desktop"
    assert device_class("") == ""
    assert told(device="desktop")["mobile"] == 0.0
