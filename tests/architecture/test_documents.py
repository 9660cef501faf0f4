"""The documents: every link, anchor and path in them leads somewhere; nothing stale is named."""

import re
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, room_modules

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")
PATH_IN_CODE = re.compile(
    r"`((?:domain|feature_store|models|training|service|benchmarks|demo|tests|docs)/[\w./*-]*)`"
)


def _prose(document: Path) -> str:
    """A document without its code blocks."""
    return re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)


def _anchors(document: Path) -> set[str]:
    """The anchors of a document's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ (.+)$", _prose(document), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def _name(document: Path) -> str:
    return document.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in LINK.findall(_prose(document)):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (document.parent / path).resolve() if path else document
        assert place.exists(), target
        if anchor and place.suffix == ".md":
            assert anchor in _anchors(place), target


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_paths_that_are_named_exist(document: Path) -> None:
    # The record of changes and of experiments may name what is gone.
    if document.name in ("CHANGELOG.md", "lab.md"):
        return
    for path in PATH_IN_CODE.findall(_prose(document)):
        if "NNNN" not in path and "*" not in path:
            assert (ROOT / path).exists(), path
        elif "*" in path:
            assert list(ROOT.glob(path)), path


def test_the_readme_maps_every_package() -> None:
    readme = (ROOT / "README.md").read_text()
    for package in {path.parent.name for path in ROOT.glob("*/__init__.py")}:
        assert f"`{package}/`" in readme, package


def test_every_decision_is_in_the_index_and_numbered_once() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    numbers = [page.name[:4] for page in pages]
    assert numbers == [f"{count:04d}" for count in range(1, len(pages) + 1)]
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert all(page.name in index for page in pages)


def test_no_machine_path_is_named() -> None:
    texts = [*DOCUMENTS, *(ROOT / module for module in room_modules("domain", "feature_store"))]
    for text in texts:
        assert not re.search(r"(?<![\w.])/(?:work|home|root)/", text.read_text()), text
