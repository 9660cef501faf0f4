"""The privacy verdict: what forbids personal data, wherever it is said, and what does not."""

from typing import Any

import pytest

from domain.opportunities import Privacy
from service.openrtb.privacy import PrivacyJudge
from tests.domain.consents import core, vendors_by_bits
from tests.domain.test_gpp import header, section
from tests.service.openrtb.making import request, wire

OURS = 755
GRANTED = core(purposes=(2, 4), vendors=vendors_by_bits([OURS]))
OTHERS = core(purposes=(2, 4), vendors=vendors_by_bits([OURS - 1]))
NO_PROFILE = core(purposes=(2, 3), vendors=vendors_by_bits([OURS]))


def judged(vendor: int = OURS, **parts: Any) -> Privacy:
    return PrivacyJudge(vendor).judge(wire(request(**parts)))


def platform(*told: tuple[int, str]) -> str:
    return "~".join([header([one for one, _ in told]), *(text for _, text in told)])


def test_nothing_said_is_allowed() -> None:
    assert judged() == (True, "")
    assert judged(regs={}, device={}, user={}) == (True, "")
    assert judged(device={"lmt": 0, "dnt": 0}, regs={"coppa": 0, "gdpr": 0}) == (True, "")


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"device": {"lmt": 1}}, "lmt"),
        ({"device": {"dnt": 1}}, "dnt"),
        ({"regs": {"coppa": 1}}, "coppa"),
        ({"regs": {"gdpr": 1}}, "gdpr"),
        ({"regs": {"ext": {"gdpr": 1}}}, "gdpr"),
        ({"regs": {"gdpr": 1}, "user": {"consent": "some-consent-string"}}, "gdpr"),
        ({"regs": {"gdpr": 1}, "user": {"consent": OTHERS}}, "gdpr"),
        ({"regs": {"gdpr": 1}, "user": {"consent": NO_PROFILE}}, "gdpr"),
        ({"regs": {"us_privacy": "1YYN"}}, "us_privacy"),
        ({"regs": {"ext": {"us_privacy": "1YYN"}}}, "us_privacy"),
        ({"regs": {"us_privacy": "{invalid}"}}, "us_privacy"),
        ({"regs": {"ext": {"gpc": "1"}}}, "gpc"),
        ({"regs": {"ext": {"gpc": 1}}}, "gpc"),
        ({"regs": {"gpp": "junk"}}, "gpp"),
        ({"regs": {"gpp_sid": [7]}}, "gpp"),
        ({"regs": {"gpp": "DBACNY~x~1YYN", "gpp_sid": [6]}}, "gpp"),
        ({"regs": {"gpp": "DBABjw~x~1YNN", "gpp_sid": [5]}}, "gpp"),
        ({"regs": {"gpp": "DBABjw~x~1YNN", "gpp_sid": [99]}}, "gpp"),
        ({"regs": {"ext": {"gpp": "DBACNY~x~1YYN", "gpp_sid": [6]}}}, "gpp"),
    ],
)
def test_each_word_forbids(parts: dict[str, Any], why: str) -> None:
    assert judged(**parts) == (False, why)


def test_consent_to_both_purposes_and_to_us_allows_wherever_it_is_said() -> None:
    for place in ({"consent": GRANTED}, {"ext": {"consent": GRANTED}}):
        for law in ({"gdpr": 1}, {"ext": {"gdpr": 1}}):
            assert judged(regs=law, user=place) == (True, "")


def test_a_vendor_on_no_list_has_nobodys_consent() -> None:
    assert judged(0, regs={"gdpr": 1}, user={"consent": GRANTED}) == (False, "gdpr")


def test_a_readable_refusal_counts_even_where_no_law_was_named() -> None:
    assert judged(user={"consent": OTHERS}) == (False, "gdpr")
    assert judged(user={"consent": OTHERS}, regs={}) == (False, "gdpr")
    assert judged(user={"consent": "junk"}) == (True, "")
    assert judged(user={"consent": OTHERS}, regs={"gdpr": 0}) == (True, "")


def test_the_newer_place_comes_before_the_older() -> None:
    assert judged(regs={"gdpr": 0, "ext": {"gdpr": 1}}) == (True, "")
    assert judged(regs={"us_privacy": "1YNN", "ext": {"us_privacy": "1YYN"}}) == (True, "")


def test_only_the_sections_that_apply_count() -> None:
    text = platform((6, "1YYN"), (8, section(8, (2, 2))))
    assert judged(regs={"gpp": text, "gpp_sid": [8]}) == (True, "")
    assert judged(regs={"gpp": text, "gpp_sid": [6]}) == (False, "gpp")
    assert judged(regs={"gpp": text, "gpp_sid": [-1]}) == (True, "")
    assert judged(regs={"gpp": text, "gpp_sid": []}) == (True, "")
    # Which apply was not said: every one that is there.
    assert judged(regs={"gpp": text}) == (False, "gpp")


def test_the_european_section_needs_consent_in_the_platform_or_where_it_always_came() -> None:
    assert judged(regs={"gpp": platform((2, GRANTED)), "gpp_sid": [2]}) == (True, "")
    assert judged(regs={"gpp": platform((2, OTHERS)), "gpp_sid": [2]}) == (False, "gpp")
    assert judged(regs={"gpp_sid": [2]}, user={"consent": GRANTED}) == (True, "")
    assert judged(regs={"gpp_sid": [2]}) == (False, "gpp")


def test_contradictions_are_read_to_our_disadvantage() -> None:
    text = platform((6, "1YNN"))
    assert judged(regs={"gdpr": 1, "gpp": text, "gpp_sid": [6]}) == (False, "gdpr")
    assert judged(
        regs={"gdpr": 1, "gpp": text, "gpp_sid": []}, user={"consent": OTHERS}
    ) == (False, "gdpr")  # fmt: skip


def test_what_was_said_once_is_remembered_and_no_text_is_kept() -> None:
    judge = PrivacyJudge(OURS, room=2)
    texts = [core(purposes=(2, 4), vendors=vendors_by_bits([OURS, n])) for n in (1, 2, 3)]
    for _ in range(2):
        for text in texts:
            assert judge.judge(wire(request(regs={"gdpr": 1}, user={"consent": text}))).personal
    held = judge._granted._told
    assert len(held) == 2
    assert all(len(key) == 16 for key in held)
