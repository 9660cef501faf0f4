"""The manifest of a bundle: its fields, its one JSON text, the version it names itself by.

A version is the time of making and a digest of the manifest, which holds the digests of the
files: one changed byte anywhere is noticed. Knows nothing of arrays or of what a model does.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from domain.errors import BundleRefused

FORMAT_VERSION = 1
MAX_MANIFEST_BYTES = 16 * 2**20
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
FILE = re.compile(
    r"golden\.json|[a-z]{1,40}\.md"
    r"|arrays/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.npy|documents/[A-Za-z0-9][A-Za-z0-9_-]{0,99}\.json"
)
BAD_JSON = (ValueError, TypeError, OSError, RecursionError)
_NOT_A_MANIFEST = (*BAD_JSON, LookupError, ArithmeticError, AttributeError)
_DIGEST_CHARS = 12


class Metric(NamedTuple):
    """A measured value and the ends of its 95 % confidence interval."""

    value: float
    low: float
    high: float


class FileStamp(NamedTuple):
    """Size in bytes and SHA-256 (hex) of one file of a bundle."""

    size: int
    sha256: str


@dataclass(slots=True, frozen=True)
class DataStamp:
    """What a model was learned from: a digest of the events, how many, from when to when.

    `first_at` and `last_at` are UTC milliseconds; `split` says in plain values how train,
    validation and test were parted.
    """

    digest: str = ""
    events: int = 0
    first_at: int = 0
    last_at: int = 0
    split: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Manifest:
    """A bundle's passport. `created_at` is UTC milliseconds, `size` bytes over all files.

    `params` belong to the scorer, `settings` to the fit that made it; `views` maps a feature
    view's name to its signature; `commit` is the source revision, "" when unknown.
    """

    family: str
    version: str
    created_at: int
    metrics: dict[str, Metric]
    data: DataStamp
    views: dict[str, str]
    commit: str
    params: dict[str, Any]
    settings: dict[str, Any]
    size: int
    files: dict[str, FileStamp]
    format: int = FORMAT_VERSION


def canonical(value: object) -> bytes:
    """One JSON text for one value; raises ValueError for NaN and infinities."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1).encode()


def version_of(manifest: dict[str, Any]) -> str:
    """Name a manifest by its time and content; its own `version` is left out of the digest."""
    body = canonical({**manifest, "version": ""})
    moment = datetime.fromtimestamp(manifest["created_at"] / 1000, UTC)
    return f"{moment:%Y%m%d-%H%M%S}-{sha256(body).hexdigest()[:_DIGEST_CHARS]}"


def refused(path: Path, what: str) -> BundleRefused:
    """Make the error that says what is wrong with the bundle at `path`, and what to do."""
    return BundleRefused(
        f"bundle {path.parent.name}/{path.name}: {what}; "
        "release or roll back to another version, or fit again"
    )


def read_manifest(path: Path) -> Manifest:
    """Read and check the manifest of the bundle at `path`, without its files.

    Raises BundleRefused when it is absent, not as written, of another format, names a file
    outside the bundle, or does not belong to the folder it lies in.
    """
    try:
        with (path / "manifest.json").open("rb") as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise refused(path, f"manifest.json cannot be read ({error.strerror})") from error
    if len(text) > MAX_MANIFEST_BYTES:
        raise refused(path, "manifest.json is larger than any manifest we write")
    try:
        raw = json.loads(text)
        if raw.get("format") != FORMAT_VERSION:
            raise refused(path, f"its format is not {FORMAT_VERSION}, the one this release reads")
        if canonical(raw) != text or raw["version"] != version_of(raw):
            raise refused(path, "manifest.json was changed after it was written")
        manifest = Manifest(
            **{
                **raw,
                "metrics": {name: Metric(*metric) for name, metric in raw["metrics"].items()},
                "data": DataStamp(**raw["data"]),
                "files": {name: FileStamp(*stamp) for name, stamp in raw["files"].items()},
            }
        )
    except _NOT_A_MANIFEST as error:
        raise refused(path, "manifest.json is not a manifest") from error
    if path.name != manifest.version or path.parent.name != manifest.family:
        raise refused(path, "it does not lie in <family>/<version> as its manifest says")
    for name in manifest.files:
        if not FILE.fullmatch(name):
            raise refused(path, "its manifest names a file that no bundle may hold")
    return manifest
