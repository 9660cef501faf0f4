"""Targets: which URLs are taken, which addresses may be connected to."""

import pytest

from domain.errors import OperatorError
from training.notify.target import (
    PrivateAddress,
    address_of,
    is_public,
    resolve,
    target_from_env,
    target_of,
)

SECRET = "a secret of many letters"


def test_a_url_becomes_a_target() -> None:
    target = target_of("https://hooks.example:8443/in/churn?token=t", SECRET)
    assert (target.tls, target.host, target.port) == (True, "hooks.example", 8443)
    assert target.path == "/in/churn?token=t"
    assert target_of("https://hooks.example", SECRET).path == "/"
    assert target_of("http://hooks.example", SECRET, private=True).port == 80
    assert SECRET not in repr(target)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/x",
        "hooks.example/x",
        "https://",
        "https://user:word@hooks.example/",
        "http://hooks.example/",
        "https://hooks.example:99999/",
        "https://hooks.example/a b",
        "https://hooks.example/a\r\nx: y",
        "https://hööks.example/",
    ],
)
def test_other_urls_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(OperatorError) as error:
        target_of(url, SECRET)
    assert "example" not in str(error.value)


def test_a_short_secret_is_refused_without_repeating_it() -> None:
    with pytest.raises(OperatorError, match="SANDERLING_WEBHOOK_SECRET") as error:
        target_of("https://hooks.example/", "short-one")
    assert "short-one" not in str(error.value)


def test_the_environment_names_it() -> None:
    assert target_from_env({}) is None
    env = {"SANDERLING_WEBHOOK_URL": "http://h.example/", "SANDERLING_WEBHOOK_SECRET": SECRET}
    with pytest.raises(OperatorError, match="PRIVATE=allow"):
        target_from_env(env)
    target = target_from_env({**env, "SANDERLING_WEBHOOK_PRIVATE": "allow"})
    assert target is not None
    assert target.private
    with pytest.raises(OperatorError, match="allow, or unset"):
        target_from_env({**env, "SANDERLING_WEBHOOK_PRIVATE": "yes"})


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
        "ff02::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946",
                                     "64:ff9b::5db8:d822"])  # fmt: skip
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


def test_one_private_address_among_public_ones_is_enough() -> None:
    target = target_of("https://hooks.example/", SECRET)
    assert address_of(target, lambda host, port: ["93.184.216.34"]) == "93.184.216.34"
    with pytest.raises(PrivateAddress):
        address_of(target, lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(OSError, match="no address"):
        address_of(target, lambda host, port: [])


def test_private_ones_may_be_allowed() -> None:
    target = target_of("http://localhost:1/", SECRET, private=True)
    assert address_of(target) in ("127.0.0.1", "::1")
    assert "127.0.0.1" in resolve("localhost", 1) or "::1" in resolve("localhost", 1)
