"""A bundle comes back as it was written, or is refused; a killed writer leaves no half of one."""

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import BundleRefused
from models.bundle import DataStamp, Draft, Golden, Metric, open_bundle, read_manifest, write_bundle
from models.bundle_pointers import clear_old, current_bundle, versions

AT = 1_700_000_000_000
ROOT = Path(__file__).resolve().parents[2]


def draft(seed: int = 0, **changes) -> Draft:
    rng = np.random.default_rng(seed)
    whole = Draft(
        family="toy",
        created_at=AT,
        arrays={
            "weights": rng.random((7, 3), dtype=np.float32),
            "hashes": rng.integers(0, 2**63, 5).astype(np.uint64),
            "nothing": np.zeros((0, 4), np.float32),
        },
        params={"half_life_days": 30.0, "kinds": (1, 5)},
        documents={"names": ["a", "ü"]},
        texts={"card.md": "# Toy\n"},
        golden=Golden([{"input": 2, "output": {"score": 0.5}}]),
        metrics={"ndcg_at_10": Metric(0.1, 0.08, 0.12)},
        data=DataStamp("abc", 10, AT - 5, AT, {"kind": "leave one out"}),
        views={"rfm": "1f"},
        settings={"seed": seed},
        commit="0123abc",
    )
    return replace(whole, **changes)


@pytest.fixture
def written(tmp_path):
    return write_bundle(tmp_path, draft()).path


def test_everything_comes_back_as_it_was_written(written):
    bundle, source = open_bundle(written), draft()
    assert bundle.arrays.keys() == source.arrays.keys()
    for name, array in source.arrays.items():
        assert bundle.arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(bundle.arrays[name], array)
    assert bundle.params == {"half_life_days": 30.0, "kinds": [1, 5]}
    assert bundle.documents == {"names": ["a", "ü"]}
    assert (written / "card.md").read_text() == "# Toy\n"
    assert bundle.golden == source.golden
    manifest = read_manifest(written)
    assert manifest == bundle.manifest
    assert manifest.metrics["ndcg_at_10"].low == 0.08
    assert manifest.data == source.data
    assert (manifest.family, manifest.version) == ("toy", written.name)
    assert (manifest.commit, manifest.views, manifest.settings) == (
        "0123abc",
        {"rfm": "1f"},
        {"seed": 0},
    )
    files = [path for path in written.rglob("*") if path.is_file()]
    assert (
        manifest.size
        == sum(path.stat().st_size for path in files) - (written / "manifest.json").stat().st_size
    )


def test_arrays_are_memory_maps_that_nobody_can_write(written):
    weights = open_bundle(written).arrays["weights"]
    assert isinstance(weights.base, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        weights[0] = 0


def test_no_file_of_a_bundle_is_a_pickle(written):
    assert {path.suffix for path in written.rglob("*") if path.is_file()} <= {
        ".json",
        ".npy",
        ".md",
    }
    for path in written.rglob("*.npy"):
        np.load(path, allow_pickle=False)


def test_a_version_is_its_time_and_its_content(tmp_path):
    first = write_bundle(tmp_path / "a", draft()).version
    assert first.startswith("20231114-221320-")
    assert write_bundle(tmp_path / "b", draft()).version == first
    assert write_bundle(tmp_path / "a", draft()).version == first
    assert versions(tmp_path / "a" / "toy") == [first]
    assert write_bundle(tmp_path / "a", draft(1)).version != first
    later = write_bundle(tmp_path / "a", draft(created_at=AT + 1000)).version
    assert later > first


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"arrays": {"objects": np.array([{}], object)}}, ValueError),
        ({"arrays": {"../out": np.zeros(1)}}, ValueError),
        ({"documents": {"a/b": 1}}, ValueError),
        ({"documents": {"bad": float("nan")}}, ValueError),
        ({"documents": {"bad": {1, 2}}}, TypeError),
        ({"texts": {"../card.md": ""}}, ValueError),
        ({"family": "../toy"}, ValueError),
        ({"params": {"x": float("inf")}}, ValueError),
    ],
)
def test_what_cannot_be_stored_is_said_and_nothing_is_left(tmp_path, changes, error):
    with pytest.raises(error):
        write_bundle(tmp_path, draft(**changes))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not (tmp_path.parent / "out.npy").exists()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """One bundle for all tampering, with the bytes of every file to put back."""
    path = write_bundle(tmp_path_factory.mktemp("tamper"), draft()).path
    return path, {part: part.read_bytes() for part in sorted(path.rglob("*")) if part.is_file()}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_flipped_byte_anywhere_is_refused(whole, data):
    path, files = whole
    part = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.integers(0, len(files[part]) - 1))
    mask = data.draw(st.integers(1, 255))
    changed = bytearray(files[part])
    changed[place] ^= mask
    part.write_bytes(changed)
    try:
        with pytest.raises(BundleRefused, match="again"):
            open_bundle(path)
    finally:
        part.write_bytes(files[part])
    open_bundle(path)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_cut_or_lengthened_file_is_refused(whole, data):
    path, files = whole
    part = data.draw(st.sampled_from(sorted(files)))
    length = data.draw(st.integers(0, len(files[part]) + 3).filter(lambda n: n != len(files[part])))
    part.write_bytes(files[part][:length].ljust(length, b" "))
    try:
        with pytest.raises(BundleRefused):
            open_bundle(path)
    finally:
        part.write_bytes(files[part])


def test_links_are_not_followed(written, tmp_path):
    outside = tmp_path / "elsewhere.npy"
    part = written / "arrays" / "weights.npy"
    part.rename(outside)
    part.symlink_to(outside)
    with pytest.raises(BundleRefused, match="not a plain file"):
        open_bundle(written)


def test_a_bundle_in_another_place_is_refused(written, tmp_path):
    for target in (
        tmp_path / "toy" / "20200101-000000-000000000000",
        tmp_path / "x" / written.name,
    ):
        shutil.copytree(written, target)
        with pytest.raises(BundleRefused, match="does not lie"):
            open_bundle(target)


def test_a_missing_bundle_is_refused(tmp_path):
    with pytest.raises(BundleRefused, match=r"manifest\.json cannot be read"):
        open_bundle(tmp_path / "toy" / "20200101-000000-000000000000")


def test_files_nobody_listed_are_left_alone(written):
    (written / ".note").write_text("from a file manager")
    open_bundle(written)


WRITER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_bundle import draft
from models.bundle import point, write_bundle
bundles, until = Path(sys.argv[1]), sys.argv[2]
def step(name):
    print(name, flush=True)
    if name == until:
        os.kill(os.getpid(), signal.SIGKILL)
for seed in range(1, 200):
    bundle = write_bundle(bundles, draft(seed), step)
    step("opened")
    point(bundles / "toy", bundle.version, 5)
    step("pointed")
"""


def writer(bundles: Path, until: str) -> subprocess.Popen:
    code = WRITER.format(tests=str(Path(__file__).parent))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", code, str(bundles), until],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    )


@pytest.mark.parametrize("until", ["files", "manifest", "renamed", "opened", "pointed"])
def test_a_writer_killed_at_any_step_leaves_only_whole_bundles(tmp_path, until):
    before = write_bundle(tmp_path, draft())
    with writer(tmp_path, until) as process:
        process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    found = versions(tmp_path / "toy")
    assert len(found) == (1 if until in ("files", "manifest") else 2)
    for version in found:
        open_bundle(tmp_path / "toy" / version)
    current = current_bundle(tmp_path, "toy")
    assert (current is None) == (until != "pointed")
    # The next writer is not in the way of what the last one left, and old leftovers go.
    again = write_bundle(tmp_path, draft(1))
    assert open_bundle(again.path).version == again.version
    clear_old(tmp_path / "toy", keep=9, now_ms=int(4e12))
    assert {path.name for path in (tmp_path / "toy").iterdir()} - {"current", ".lock"} == {
        before.version,
        again.version,
    }


@pytest.mark.parametrize("lines", [1, 6, 9, 12, 23, 38])
def test_a_writer_killed_at_any_moment_leaves_the_pointer_on_a_whole_bundle(tmp_path, lines):
    with writer(tmp_path, "never") as process:
        assert process.stdout is not None
        for _ in range(lines):
            assert process.stdout.readline()
        process.kill()
    current = current_bundle(tmp_path, "toy")
    assert (current is not None) or lines < 5
    if current is not None:
        open_bundle(current)
    for version in versions(tmp_path / "toy"):
        open_bundle(tmp_path / "toy" / version)
