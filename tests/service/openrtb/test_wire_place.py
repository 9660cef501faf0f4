"""Where and who on the wire: known fields of the wrong type are refused, empty objects are not."""

from typing import Any

import msgspec
import pytest

from tests.service.openrtb.making import request, wire


@pytest.mark.parametrize(
    "parts",
    [
        {"site": {"page": 3}}, {"app": {"bundle": 3}}, {"device": {"ip": 5}},
        {"device": {"geo": {"lat": "x"}}}, {"user": {"ext": {"consent": 2}}},
        {"user": {"eids": [{"uids": [{"id": 1}]}]}}, {"dooh": {"venuetype": 3}},
        {"site": {"content": {"len": "5"}}}, {"user": "me"}, {"device": []},
    ],
)  # fmt: skip
def test_other_types_are_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        wire(request(**parts))


def test_empty_objects_pass() -> None:
    read = wire(request(site={}, device={}, user={"ext": {}}))
    assert read.site is not None
    assert read.device is not None
    assert read.device.lmt is None


def test_venues_are_one_or_several() -> None:
    for told in ("airports", ["airports", "bars"]):
        assert wire(request(dooh={"venuetype": told})).dooh is not None
