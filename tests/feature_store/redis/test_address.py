import ssl
import subprocess
from pathlib import Path

import pytest

from domain.errors import StoreMisconfigured
from feature_store.redis.address import parse_address


def test_a_plain_url() -> None:
    address = parse_address("redis://10.0.0.1:7000/3")
    assert (address.host, address.port, address.db) == ("10.0.0.1", 7000, 3)
    assert (address.path, address.tls, address.password) == ("", None, "")


def test_a_password_is_unquoted_and_never_shown() -> None:
    address = parse_address("redis://bob:se%2Fcret@h")
    assert (address.username, address.password) == ("bob", "se/cret")
    assert "cret" not in repr(address)
    assert "bob" not in repr(address)


def test_a_unix_socket() -> None:
    address = parse_address("unix:///run/valkey.sock?db=2")
    assert (address.path, address.db) == ("/run/valkey.sock", 2)


def test_tls_verifies_unless_told_otherwise() -> None:
    checked = parse_address("rediss://h").tls
    assert checked is not None
    assert checked.verify_mode == ssl.CERT_REQUIRED
    assert checked.check_hostname
    loose = parse_address("rediss://h?ssl_cert_reqs=none").tls
    assert loose is not None
    assert loose.verify_mode == ssl.CERT_NONE
    unnamed = parse_address("rediss://h?ssl_check_hostname=false").tls
    assert unnamed is not None
    assert unnamed.verify_mode == ssl.CERT_REQUIRED
    assert not unnamed.check_hostname


def test_a_client_certificate_is_loaded(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    try:
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
                *("-keyout", str(key), "-out", str(cert), "-subj", "/CN=client"),
            ],
            check=True,
            capture_output=True,
        )
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    url = f"rediss://h?ssl_certfile={cert}&ssl_keyfile={key}&ssl_ca_certs={cert}"
    assert parse_address(url).tls is not None


@pytest.mark.parametrize(
    "url",
    [
        "http://user:secret@h",
        "secret",
        "redis://:secret@h:notaport",
        "redis://:secret@h?db=x",
        "rediss://:secret@h?ssl_ca_certs=/no/such/file",
    ],
)
def test_a_bad_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(StoreMisconfigured) as refused:
        parse_address(url)
    assert "REDIS_URL" in str(refused.value)
    assert "secret" not in str(refused.value)
