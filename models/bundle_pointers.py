"""Pointers: which bundle of a family answers now (current) and which waits (challenger).

A pointer is a small JSON file in the family's folder, replaced by rename, that also holds the
versions it named before. Knows nothing of what is in a bundle, nor whether it may be released.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from domain.clock import DAY_MS
from domain.errors import BundleRefused

CURRENT = "current"
CHALLENGER = "challenger"
REMEMBERED = 20
"""How many earlier versions a pointer remembers for rollback."""

_VERSION = re.compile(r"\d{8}-\d{6}-[0-9a-f]{12}")
_POINTER_FORMAT = 1


@dataclass(slots=True, frozen=True)
class Pointer:
    """The version named, since when (UTC ms), and those named before, latest first."""

    version: str
    at: int
    before: tuple[str, ...] = ()


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def family_lock(family: Path) -> Iterator[None]:
    """Hold a family's folder for one release, rollback or clearing at a time, on one machine."""
    family.mkdir(parents=True, exist_ok=True)
    with (family / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def read_pointer(family: Path, name: str = CURRENT) -> Pointer | None:
    """Answer the pointer `name` of the family's folder, None when there is none.

    Raises BundleRefused when the file is there but is not a pointer.
    """
    try:
        raw = json.loads((family / name).read_bytes())
        if raw["format"] != _POINTER_FORMAT:
            raise ValueError("another format")
        pointer = Pointer(raw["version"], int(raw["at"]), tuple(raw["before"]))
        # The version becomes a path: nothing but a version's own characters may pass.
        if not all(_VERSION.fullmatch(version) for version in (pointer.version, *pointer.before)):
            raise ValueError("not a version")
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise BundleRefused(
            f"pointer {family.name}/{name} cannot be read; delete that file and release again"
        ) from error
    return pointer


def write_pointer(family: Path, name: str, pointer: Pointer) -> None:
    """Replace a pointer by rename: a reader sees the old one or the new one, whole."""
    writing = family / f".pointing-{secrets.token_hex(8)}"
    try:
        with writing.open("x") as file:
            json.dump({"format": _POINTER_FORMAT, **asdict(pointer)}, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        writing.replace(family / name)
        sync_folder(family)
    finally:
        writing.unlink(missing_ok=True)


def point(family: Path, version: str, now_ms: int, name: str = CURRENT) -> Pointer:
    """Let a pointer name `version` from `now_ms` on, remembering those before; answer it.

    Pointing at the version already named changes nothing. Raises BundleRefused when the
    family has no such bundle.
    """
    if not _VERSION.fullmatch(version) or not (family / version / "manifest.json").is_file():
        raise BundleRefused(f"no bundle {family.name}/{version}; `models` lists those there are")
    old = read_pointer(family, name)
    if old is not None and old.version == version:
        return old
    before = (old.version, *old.before) if old is not None else ()
    new = Pointer(version, now_ms, before[:REMEMBERED])
    write_pointer(family, name, new)
    return new


def point_back(family: Path, now_ms: int, usable: Callable[[Path], object]) -> Pointer:
    """Let `current` name the version before it; answer the new pointer.

    `usable` opens a bundle's folder and raises when it must not be used; nothing moves then.
    Raises BundleRefused when there is nothing to go back to.
    """
    old = read_pointer(family)
    before = [version for version in old.before if (family / version).is_dir()] if old else []
    if not before:
        raise BundleRefused(f"{family.name} has no earlier release to go back to; fit and release")
    usable(family / before[0])
    new = Pointer(before[0], now_ms, tuple(before[1:]))
    write_pointer(family, CURRENT, new)
    return new


def current_bundle(bundles: Path, family: str) -> Path | None:
    """Answer the folder of the family's current bundle, None before the first release.

    One small read, for watching. Raises BundleRefused when the pointer cannot be read.
    """
    pointer = read_pointer(bundles / family)
    return None if pointer is None else bundles / family / pointer.version


def versions(family: Path) -> list[str]:
    """Answer the versions of a family's bundles, oldest first."""
    if not family.is_dir():
        return []
    return sorted(path.name for path in family.iterdir() if _VERSION.fullmatch(path.name))


def clear_old(family: Path, keep: int, now_ms: int) -> list[str]:
    """Delete all but the newest `keep` bundles and what crashed writers left; answer the versions.

    Never those that a pointer names, nor the one to roll back to. A process that has a deleted
    bundle open keeps its memory maps. Leftovers go when they are a day old at `now_ms`.
    """
    current, challenger = read_pointer(family), read_pointer(family, CHALLENGER)
    kept = set(versions(family)[-keep:] if keep > 0 else ())
    kept.update((challenger.version,) if challenger else ())
    kept.update((current.version, *current.before[:1]) if current else ())
    cleared = [version for version in versions(family) if version not in kept]
    for version in cleared:
        # Out of its name first: no half-deleted bundle stands where a whole one is expected.
        gone = family / f".clearing-{secrets.token_hex(8)}"
        (family / version).rename(gone)
        shutil.rmtree(gone)
    for path in family.glob(".[cpw]*-*"):
        if path.stat().st_mtime * 1000 < now_ms - DAY_MS:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return cleared
