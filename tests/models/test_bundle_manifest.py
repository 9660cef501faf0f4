"""A manifest names itself by its content; one that names anything else is refused."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import BundleRefused
from models.bundle import Draft, open_bundle, write_bundle
from models.bundle_manifest import Manifest, canonical, read_manifest, version_of
from models.bundle_pointers import point

AT = 1_700_000_000_000


@pytest.fixture
def written(tmp_path):
    return write_bundle(tmp_path, Draft("toy", AT, {}, {}, texts={"card.md": "#"})).path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One bundle for all tampering, with the bytes of its manifest to put back."""
    path = write_bundle(tmp_path_factory.mktemp("tamper"), Draft("toy", AT, {}, {})).path
    return path, (path / "manifest.json").read_bytes()


def test_a_version_is_made_of_time_and_content_but_not_of_itself():
    manifest = {"created_at": AT, "version": "", "commit": "a"}
    version = version_of(manifest)
    assert version.startswith("20231114-221320-")
    assert version_of(manifest | {"version": version}) == version
    assert version_of(manifest | {"commit": "b"}) != version


def test_one_value_has_one_text():
    assert canonical({"b": 1, "a": "ü"}) == canonical({"a": "ü", "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical({"a": float("nan")})


def test_a_version_fits_a_pointer(written):
    assert point(written.parent, written.name, 0).version == written.name


def test_a_manifest_is_read_without_the_files(written):
    (written / "golden.json").unlink()
    manifest = read_manifest(written)
    assert isinstance(manifest, Manifest)
    assert (manifest.family, manifest.version, manifest.created_at) == ("toy", written.name, AT)


@settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=200) | st.sampled_from([b"[]", b"{}", b'"x"', b"[" * 100_000]))
def test_any_other_manifest_is_refused(whole, text):
    path, before = whole
    manifest = path / "manifest.json"
    manifest.write_bytes(text)
    try:
        with pytest.raises(BundleRefused):
            open_bundle(path)
    finally:
        manifest.write_bytes(before)


def resigned(path: Path, **changes) -> Path:
    """Rewrite a bundle's manifest, digest and folder name, as an insider could."""
    raw = json.loads((path / "manifest.json").read_bytes()) | changes | {"version": ""}
    text = json.dumps(raw, sort_keys=True, ensure_ascii=False, indent=1)
    raw["version"] = path.name[:16] + sha256(text.encode()).hexdigest()[:12]
    text = json.dumps(raw, sort_keys=True, ensure_ascii=False, indent=1)
    (path / "manifest.json").write_text(text)
    return path.rename(path.with_name(raw["version"]))


def test_resigning_alone_changes_nothing(written):
    assert (
        resigned(written, commit="other").name
        == open_bundle(next(written.parent.glob("2*"))).version
    )


@pytest.mark.parametrize(
    "name",
    [
        "../outside.md",
        "/etc/hostname",
        "arrays/../../x.npy",
        "arrays/x.pkl",
        "manifest.json",
        "a\\b.md",
    ],
)
def test_a_manifest_that_names_files_outside_is_refused(written, name):
    files = json.loads((written / "manifest.json").read_bytes())["files"]
    with pytest.raises(BundleRefused, match="no bundle may hold"):
        open_bundle(resigned(written, files=files | {name: [1, "00"]}))


def test_a_manifest_without_the_golden_file_is_refused(written):
    files = json.loads((written / "manifest.json").read_bytes())["files"]
    (written / "golden.json").unlink()
    del files["golden.json"]
    with pytest.raises(BundleRefused):
        open_bundle(resigned(written, files=files))


def test_a_later_format_is_refused_and_named(written):
    with pytest.raises(BundleRefused, match="format is not 1"):
        open_bundle(resigned(written, format=2))
