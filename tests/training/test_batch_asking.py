"""Options of `training recommend`: the same controls as the service's, and everybody."""

import argparse
from pathlib import Path

import pytest

from domain.errors import ScientistError
from domain.events import Event, Kind
from feature_store.log.events import SCHEMA, WRITE_OPTIONS, table_of_entries
from feature_store.log.files import path_for, write_atomically
from feature_store.records import pack_payload, pack_record
from feature_store.store import StreamEntry
from models.recommend.ask import Ask
from models.recommend.controls import NO_CONTROLS, Cap, Controls, Objective, Pin, Task
from models.recommend.filters import Filter
from training.batch_asking import add_controls, ask_of, everybody, option_of

NOW = 1_700_000_000_000


def asked(*options: str) -> Ask:
    parser = argparse.ArgumentParser()
    add_controls(parser)
    return ask_of(parser.parse_args(options))


def test_nothing_asked_is_the_usual_question() -> None:
    assert asked() == Ask()
    assert asked().controls is NO_CONTROLS


def test_every_control_has_its_option(tmp_path: Path) -> None:
    (tmp_path / "items.txt").write_text("a\n\n b \na\n")
    found = asked(
        "--k", "7", "--task", "basket", "--cart", "x", "--cart", "y", "--objective", "margin",
        "--cap", "category=2", "--cap", "attributes.a=b=3", "--pin", "spring=sale=1",
        "--after-days", "7", "--shown-at-most", "3", "--within-days", "2", "--freshness", "0.5",
        "--diversity", "calibrated", "--category", "c", "--deny", str(tmp_path / "items.txt"),
        "--explain", "--item", "here",
    )  # fmt: skip
    assert found == Ask(
        7, "here", None, Filter(("c",), deny=("a", "b")), (), 0.0, True,
        Controls(
            Task.basket, Objective.margin, (Cap("category", 2), Cap("attributes.a=b", 3)),
            (Pin("spring=sale", 1),), 7, 3, 2, 0.5, True, None, ("x", "y"),
        ),
    )  # fmt: skip
    ranked = asked("--items", str(tmp_path / "items.txt"))
    assert (ranked.k, ranked.controls.candidates) == (2, ("a", "b"))
    assert asked("--no-exclude-seen", "--diversity", "0.5") == Ask(
        exclude_seen=False, diversity=0.5
    )


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--k", "0"), "--k"),
        (("--cap", "category"), "--cap"),
        (("--cap", "=3"), "--cap"),
        (("--cap", "colour=3"), "--cap"),
        (("--cap", "category=0"), "--cap"),
        (("--pin", "a=21"), "--pin"),
        (("--pin", "a=x"), "--pin"),
        (("--pin", "a=1", "--pin", "a=2"), "--pin"),
        (("--diversity", "wild"), "--diversity"),
        (("--diversity", "nan"), "--diversity"),
        (("--after-days", "nan"), "--after-days"),
        (("--shown-at-most", "0"), "--shown-at-most"),
        (("--freshness", "2"), "--freshness"),
        (("--task", "similar"), "--item"),
        (("--cart", "x"), "--cart"),
    ],
)
def test_what_is_wrong_is_told_by_its_option(options: tuple[str, ...], named: str) -> None:
    with pytest.raises(ScientistError) as refused:
        asked(*options)
    assert str(refused.value).startswith(named + ":")


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(ScientistError, match=r"none\.txt"):
        asked("--items", str(tmp_path / "none.txt"))


def test_fields_are_told_as_options() -> None:
    assert option_of("at") == "as-of"
    assert option_of("pinned[3].place") == "pin"
    assert option_of("repeats.within_days") == "within-days"


def test_everybody_is_whom_the_log_names(tmp_path: Path) -> None:
    with pytest.raises(ScientistError, match="no user"):
        everybody(tmp_path)
    names = ("ub", "uü1", "svisit", "ub", "ua")
    events = [
        Event(f"e{ms}", entity, Kind.click, NOW + ms, item="tea")
        for ms, entity in enumerate(names, 1)
    ]
    entries = [
        StreamEntry(f"{ms}-0", pack_record(event), [pack_payload(event)])
        for ms, event in enumerate(events, 1)
    ]
    path = path_for(tmp_path, 0, (1, 0), (len(entries), 0))
    write_atomically(path, SCHEMA, [table_of_entries(entries)], WRITE_OPTIONS)
    assert everybody(tmp_path) == ["a", "b", "ü1"]
    assert everybody(tmp_path, NOW + 5) == ["b", "ü1"]
