"""Impressions on the wire: what the specification requires must be there, and not be empty."""

from typing import Any

import msgspec
import pytest

from tests.service.openrtb.making import imp, request, wire


@pytest.mark.parametrize(
    "parts",
    [
        {"video": {}}, {"audio": {}}, {"native": {}}, {"video": {"mimes": []}},
        {"audio": {"mimes": []}}, {"native": {"request": ""}}, {"pmp": {"deals": [{}]}},
        {"pmp": {"deals": [{"id": ""}]}}, {"qty": {}}, {"metric": [{"type": "ctr"}]},
        {"banner": {"w": "300"}}, {"banner": {"format": {}}}, {"bidfloor": "0.1"},
        {"secure": True}, {"banner": {"ext": "x"}}, {"ext": "x"}, {"video": {"mimes": "video/mp4"}},
    ],
)  # fmt: skip
def test_what_is_missing_or_of_another_type_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        wire(request(imp(**parts)))


def test_no_impressions_or_one_without_a_name_are_refused() -> None:
    nameless = {"id": "r", "imp": [{"banner": {}}]}
    empty = {"id": "r", "imp": [imp("")]}
    for document in ({"id": "r", "imp": []}, {"id": "r"}, {"id": "", "imp": [imp()]},
                     nameless, empty):  # fmt: skip
        with pytest.raises(msgspec.ValidationError):
            wire(document)


def test_what_prebid_calls_rewarded_is_read() -> None:
    for told in (1, True):
        read = wire(request(imp(ext={"is_rewarded_inventory": told, "other": {}})))
        assert read.imp[0].ext is not None
        assert read.imp[0].ext.is_rewarded_inventory == told
