"""The wire: unknown things pass, known ones of the wrong type do not, old places are read."""

import json
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.openrtb_tables import TABLES, Drawer, attributes_of, faults
from service.openrtb import wire as places
from service.openrtb import wire_imp, wire_place
from service.openrtb.wire import BidRequest
from tests.service.openrtb.making import imp, request, wire

STRUCTS = {
    "BidRequest": BidRequest, "Source": places.Source, "SupplyChain": places.Chain,
    "SupplyChainNode": places.ChainNode, "Regs": places.Regs, "Imp": wire_imp.Imp,
    "Banner": wire_imp.Banner, "Video": wire_imp.Video, "Audio": wire_imp.Audio,
    "Native": wire_imp.Native, "Deal": wire_imp.Deal, "Pmp": wire_imp.Pmp,
    "Device": wire_place.Device, "Geo": wire_place.Geo, "User": wire_place.User,
    "Site": wire_place.Site, "App": wire_place.App, "Content": wire_place.Content,
    "DOOH": wire_place.Dooh, "Format": wire_imp.Format, "DurFloors": wire_imp.DurFloor,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(STRUCTS))
def test_every_attribute_of_the_tables_is_known(name: str) -> None:
    known = {field.name: field for field in msgspec.structs.fields(STRUCTS[name])}
    for attribute, _, _, required in attributes_of(name):
        assert attribute in known, attribute
        assert known[attribute].required == required, attribute


def test_unknown_fields_and_numbers_pass() -> None:
    odd = imp(banner={"w": 300, "h": 250, "battr": [7_777], "new": {"deep": [1]}}, newer=1)
    read = wire(request(odd, at=777, something={"else": None}, ext={"a": 1}))
    assert read.at == 777
    assert read.imp[0].banner is not None
    assert read.imp[0].banner.battr == (7_777,)


def test_null_is_as_if_absent() -> None:
    read = wire(request(imp(bidfloor=None, video=None), site=None, cur=None, regs={"gdpr": None}))
    assert (read.site, read.cur, read.imp[0].video) == (None, None, None)


def test_old_places_are_read() -> None:
    chain = {"complete": 1, "ver": "1.0", "nodes": [{"asi": "a.example", "sid": "1"}]}
    read = wire(
        request(
            regs={"ext": {"gdpr": 1, "us_privacy": "1YYN", "gpc": "1"}},
            user={"ext": {"consent": "CPX", "eids": [{"source": "s", "uids": [{"id": "u"}]}]}},
            source={"ext": {"schain": chain}},
        )
    )
    assert read.regs is not None
    assert read.regs.ext is not None
    assert (read.regs.ext.gdpr, read.regs.ext.us_privacy, read.regs.ext.gpc) == (1, "1YYN", "1")
    assert read.user is not None
    assert read.user.ext is not None
    assert read.user.ext.consent == "CPX"
    assert read.source is not None
    assert read.source.ext is not None
    assert read.source.ext.schain is not None


@given(seed=st.integers(0, 2**32))
def test_what_the_tables_allow_is_read(seed: int) -> None:
    drawn = Drawer(Random(seed), 0.5).request()
    assert faults("BidRequest", drawn) == []
    assert wire(drawn).id == drawn["id"]


@given(seed=st.integers(0, 2**32))
def test_what_the_tables_forbid_is_refused(seed: int) -> None:
    drawer = Drawer(Random(seed), 0.5)
    what, document = drawer.wrong(drawer.request())
    if faults("BidRequest", document):
        with pytest.raises(msgspec.ValidationError):
            wire(document)
    else:
        # Taking away what was not there, or half an array: nothing is wrong after all.
        assert wire(document).id, what


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "NaN", '{"id": 1e999}', '{"id": "a"}'])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(msgspec.MsgspecError):
        msgspec.json.decode(text, type=BidRequest)


def test_numbers_beyond_all_bounds_are_no_prices() -> None:
    for price in ("NaN", "Infinity", "-Infinity", "1e400"):
        text = json.dumps(request(imp(bidfloor=0.5))).replace("0.5", price)
        with pytest.raises(msgspec.MsgspecError):
            msgspec.json.decode(text, type=BidRequest)


def test_the_tables_name_only_what_exists() -> None:
    for name in TABLES:
        for attribute, kind, _, _ in attributes_of(name):
            assert kind in TABLES or kind in ("str", "int", "float"), (name, attribute)
