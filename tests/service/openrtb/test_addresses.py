"""Addresses leave the wire truncated, or not at all."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.openrtb.addresses import truncated


@given(st.ip_addresses(v=4))
def test_of_version_4_the_last_byte_goes(address: IPv4Address) -> None:
    assert int(IPv4Address(truncated(str(address), None))) == int(address) >> 8 << 8


@given(st.ip_addresses(v=6))
def test_of_version_6_all_but_48_bits_go(address: IPv6Address) -> None:
    network = IPv6Network((int(address), 48), strict=False)
    assert truncated(None, str(address)) == str(network.network_address)


@pytest.mark.parametrize(
    ("v4", "v6", "told"),
    [
        (None, None, ""), ("ip", None, ""), ("1.2.3", None, ""), ("1.2.3.4.5", None, ""),
        ("1.2.3.x", None, ""), ("::1", None, ""), (None, "junk", ""), ("", "", ""),
        ("192.0.2.77", "2001:db8::1", "192.0.2.0"), ("ip", "8888::", "8888::"),
        (None, "fe80::1%eth0", "fe80::"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_none(v4: str | None, v6: str | None, told: str) -> None:
    assert truncated(v4, v6) == told
