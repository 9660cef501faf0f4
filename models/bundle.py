"""Bundles: a released model on disk, written whole or not at all, refused when not as written.

A bundle is a folder `<bundles>/<family>/<version>/`: manifest.json, arrays/*.npy,
documents/*.json, texts, golden.json; no pickles. The version holds a digest of the manifest and
the manifest the digests of the files, so one changed byte anywhere is noticed. Guards against
accidents, not against someone who may rewrite the folder. Knows nothing of what the arrays mean.
"""

import json
import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from models.bundle_golden import Golden, check_golden
from models.bundle_manifest import (
    BAD_JSON,
    FILE,
    NAME,
    DataStamp,
    FileStamp,
    Manifest,
    Metric,
    canonical,
    read_manifest,
    refused,
    version_of,
)
from models.bundle_pointers import (
    CHALLENGER,
    CURRENT,
    Pointer,
    current_bundle,
    family_lock,
    point,
    read_pointer,
    sync_folder,
)


@dataclass(slots=True, frozen=True)
class Draft:
    """All that goes into a bundle. `texts` maps a name like card.md to Markdown."""

    family: str
    created_at: int
    arrays: Mapping[str, np.ndarray]
    params: Mapping[str, Any]
    documents: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    golden: Golden = field(default_factory=Golden)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    data: DataStamp = field(default_factory=DataStamp)
    views: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    commit: str = ""


@dataclass(slots=True, frozen=True)
class Bundle:
    """An opened bundle; `arrays` are read-only memory maps of its files."""

    path: Path
    manifest: Manifest
    arrays: dict[str, np.ndarray]
    documents: dict[str, Any]
    golden: Golden

    @property
    def family(self) -> str:
        """The kind of model."""
        return self.manifest.family

    @property
    def version(self) -> str:
        """The version, `YYYYMMDD-HHMMSS-<digest>`; versions of a family sort by age."""
        return self.manifest.version

    @property
    def params(self) -> dict[str, Any]:
        """The scorer's own parameters."""
        return self.manifest.params


class _Hashing:
    """A file being written whose size and digest are taken on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.size, self.digest = file, 0, sha256()

    def write(self, data: Any) -> int:
        self.size += memoryview(data).nbytes
        self.digest.update(data)
        return self._file.write(data)


def _write_file(path: Path, write: Callable[[Any], object]) -> FileStamp:
    path.parent.mkdir(exist_ok=True)
    with path.open("xb") as file:
        hashing = _Hashing(file)
        write(hashing)
        file.flush()
        os.fsync(file.fileno())
    return FileStamp(hashing.size, hashing.digest.hexdigest())


def _write_files(folder: Path, draft: Draft) -> dict[str, FileStamp]:
    for name in (*draft.arrays, *draft.documents):
        if not NAME.fullmatch(name):
            raise ValueError(f"not a name for a part of a bundle: {name!r}")
    files: dict[str, FileStamp] = {}
    for name, array in draft.arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"array {name} holds Python objects, which would need a pickle")
        files[f"arrays/{name}.npy"] = _write_file(
            folder / "arrays" / f"{name}.npy",
            lambda file, array=array: np.save(file, array, allow_pickle=False),
        )
    documents = {f"documents/{name}.json": value for name, value in draft.documents.items()}
    documents["golden.json"] = asdict(draft.golden)
    for name, value in documents.items():
        text = canonical(value)
        files[name] = _write_file(folder / name, lambda file, text=text: file.write(text))
    for name, value in draft.texts.items():
        if not FILE.fullmatch(name):
            raise ValueError(f"not a name for a text of a bundle: {name!r}")
        text = value.encode()
        files[name] = _write_file(folder / name, lambda file, text=text: file.write(text))
    return files


def _no_step(name: str) -> None:
    """Do nothing at the named step; tests hand in a step that ends the process."""


def write_bundle(bundles: Path, draft: Draft, step: Callable[[str], None] = _no_step) -> Bundle:
    """Write a draft to `<bundles>/<family>/<version>/` and answer it opened and verified.

    Everything is written and synced in a folder beside, which is then renamed: a crash leaves
    either no bundle or a whole one. Writing the same draft twice answers the first bundle.
    `step` is called with "files", "manifest" and "renamed" as each is done.
    Raises ValueError or TypeError for names, values or arrays that JSON and .npy cannot hold.
    """
    if not NAME.fullmatch(draft.family):
        raise ValueError(f"not a name for a family: {draft.family!r}")
    family = bundles / draft.family
    family.mkdir(parents=True, exist_ok=True)
    writing = family / f".writing-{secrets.token_hex(8)}"
    writing.mkdir()
    try:
        files = _write_files(writing, draft)
        step("files")
        manifest = asdict(
            Manifest(
                family=draft.family,
                version="",
                created_at=draft.created_at,
                metrics={name: Metric(*metric) for name, metric in draft.metrics.items()},
                data=draft.data,
                views=dict(draft.views),
                commit=draft.commit,
                params=dict(draft.params),
                settings=dict(draft.settings),
                size=sum(stamp.size for stamp in files.values()),
                files=files,
            )
        )
        # As JSON gives it back: tuples become lists, names that are numbers become texts.
        manifest = json.loads(canonical(manifest))
        manifest["version"] = version_of(manifest)
        text = canonical(manifest)
        _write_file(writing / "manifest.json", lambda file: file.write(text))
        for folder in (*(path for path in writing.iterdir() if path.is_dir()), writing):
            sync_folder(folder)
        step("manifest")
        target = family / manifest["version"]
        if not target.exists():
            writing.rename(target)
        sync_folder(family)
        step("renamed")
    finally:
        shutil.rmtree(writing, ignore_errors=True)
    return open_bundle(target)


def _verify(path: Path, manifest: Manifest) -> None:
    for name, stamp in manifest.files.items():
        part = path / name
        try:
            if part.is_symlink() or part.parent.is_symlink() or not part.is_file():
                raise refused(path, f"{name} is missing or not a plain file")
            if part.stat().st_size != stamp.size:
                raise refused(path, f"{name} is not {stamp.size} bytes long")
            with part.open("rb") as file:
                if file_digest(file, "sha256").hexdigest() != stamp.sha256:
                    raise refused(path, f"{name} was changed after it was written")
        except OSError as error:
            raise refused(path, f"{name} cannot be read ({error.strerror})") from error


def _open_array(path: Path) -> np.ndarray:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    # A memory map keeps a subclass and a file name in every slice; the plain array is faster.
    return np.asarray(array)


def open_bundle(path: Path) -> Bundle:
    """Open the bundle in folder `path`, every size and digest checked, arrays memory-mapped.

    Files that the manifest does not list are left alone and never read.
    Raises BundleRefused, saying what is wrong and what to do.
    """
    # A pointer or a caller may hand in a link or a relative path; the names are checked below.
    path = Path(os.path.abspath(path))
    manifest = read_manifest(path)
    _verify(path, manifest)
    arrays: dict[str, np.ndarray] = {}
    documents: dict[str, Any] = {}
    try:
        for name in manifest.files:
            part = path / name
            if part.parent.name == "arrays":
                arrays[part.stem] = _open_array(part)
            elif part.parent.name == "documents":
                documents[part.stem] = json.loads(part.read_bytes())
        golden = Golden(**json.loads((path / "golden.json").read_bytes()))
    except BAD_JSON as error:
        raise refused(path, "a file is not in the format its name says") from error
    return Bundle(path, manifest, arrays, documents, golden)


__all__ = [
    "CHALLENGER",
    "CURRENT",
    "Bundle",
    "DataStamp",
    "Draft",
    "FileStamp",
    "Golden",
    "Manifest",
    "Metric",
    "Pointer",
    "check_golden",
    "current_bundle",
    "family_lock",
    "open_bundle",
    "point",
    "read_manifest",
    "read_pointer",
    "write_bundle",
]
