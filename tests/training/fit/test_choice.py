import json

import numpy as np
import pytest

from training.fit.choice import choose, gain_of

USERS = np.arange(400)


def noise(seed, level=0.0):
    return np.random.default_rng(seed).normal(level, 0.3, len(USERS))


def test_a_sure_gain_is_taken():
    plain = noise(0, 0.3)
    found = choose({"member": plain, "blend": plain + 0.05 + 0.1 * noise(1)}, USERS, 0)
    assert found.name == "blend"
    assert found.gains[0].low > 0
    assert found.gains[0].value == pytest.approx(0.05, abs=0.01)


def test_a_gain_within_noise_is_not():
    plain = noise(0, 0.3)
    other = plain + noise(1)
    other += 0.005 - (other - plain).mean()
    found = choose({"member": plain, "blend": other}, USERS, 0)
    assert found.name == "member"
    assert found.gains[0].value == pytest.approx(0.005)
    assert found.gains[0].low < 0 < found.gains[0].high


def test_equals_keep_the_simpler():
    plain = noise(0, 0.3)
    assert choose({"member": plain, "blend": plain.copy()}, USERS, 0).name == "member"


def test_each_is_compared_with_what_leads():
    plain = noise(0, 0.3)
    found = choose({"member": plain, "blend": plain - 0.1, "ranker": plain + 0.1}, USERS, 0)
    assert found.name == "ranker"
    assert [(gain.over, gain.name) for gain in found.gains] == [
        ("member", "blend"), ("member", "ranker"),
    ]  # fmt: skip


def test_the_cases_of_one_user_are_one_voice():
    first, second = noise(0), noise(1)
    once = gain_of("a", "b", first, second, USERS, 0)
    tenfold = gain_of("a", "b", *(np.tile(one, 10) for one in (first, second, USERS)), 0)
    assert tenfold.high - tenfold.low == pytest.approx(once.high - once.low, rel=0.15)
    alone = gain_of("a", "b", np.tile(first, 10), np.tile(second, 10), np.arange(4000), 0)
    assert alone.high - alone.low < 0.5 * (once.high - once.low)


def test_without_cases_the_simplest_stays():
    none = np.zeros(0)
    assert choose({"member": none, "blend": none}, USERS[:0], 0).name == "member"


def test_what_is_told_are_json_values():
    plain = noise(0, 0.3)
    told = choose({"member": plain, "blend": plain + 0.1}, USERS, 0).told()
    assert json.loads(json.dumps(told)) == told
    assert told["choice"] == "blend"
    assert told["choice.blend_over_member.low"] == pytest.approx(0.1)
    assert told["choice.member"] == pytest.approx(plain.mean())
