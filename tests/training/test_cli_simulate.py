"""The command that makes up worlds: files as asked, refusals that say why."""

import json
from pathlib import Path

import polars as pl
import pytest

from training.cli import main
from training.datasets.synthetic.files import EVENTS, ITEM_FILE, TRUTH_EVENTS, TRUTH_USERS


def simulate(folder, *more):
    words = ["simulate", "shop", "--users", "20", "--days", "10", "--out", str(folder), *more]
    return main(words)


def test_it_writes_the_shop_and_says_so(tmp_path, capsys):
    assert simulate(tmp_path / "shop") == 0
    shown = capsys.readouterr()
    names = [EVENTS, ITEM_FILE, TRUTH_EVENTS, TRUTH_USERS]
    assert shown.out.splitlines() == [str(tmp_path / "shop" / name) for name in names]
    assert shown.err.startswith("simulated: ")
    assert all((tmp_path / "shop" / name).exists() for name in names)


def test_the_same_seed_writes_the_same_events(tmp_path):
    for name, seed in (("one", "1"), ("again", "1"), ("other", "2")):
        simulate(tmp_path / name, "--seed", seed)
    one, again, other = (
        pl.read_parquet(tmp_path / name / EVENTS) for name in ("one", "again", "other")
    )
    assert one.equals(again)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--users", "0"),
        ("--users", "1000000"),
        ("--days", "nan"),
        ("--days", "0.5"),
        ("--horizon-days", "0"),
        ("--seed", "-1"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, capsys, option, value):
    assert simulate(tmp_path / "shop", option, value) == 4
    assert "simulate: the data or the settings must change" in capsys.readouterr().err
    assert not (tmp_path / "shop").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, capsys):
    (tmp_path / "shop").write_text("a file")
    assert simulate(tmp_path / "shop") == 4
    assert "--out cannot be written: File exists" in capsys.readouterr().err


def test_an_unknown_world_is_no_command(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "moon", "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize("price", ["first", "second"])
def test_a_day_at_the_exchange_is_told_and_drawn(tmp_path, capsys, price):
    words = ["simulate", "auction", "--hours", "1", "--price", price, "--out", str(tmp_path)]
    assert main(words) == 0
    figures, picture = capsys.readouterr().out.splitlines()
    assert Path(picture).read_bytes()[:4] == b"\x89PNG"
    told = json.loads(Path(figures).read_text())
    assert told["simulated"] is True
    assert 0 < told["spend"] <= told["budget"]
    assert told["surplus"] < told["hindsight"]
    assert told["hindsight"] - told["surplus"] == pytest.approx(told["hindsight_regret"])


def test_an_exchange_of_no_seed_is_refused(tmp_path, capsys):
    assert main(["simulate", "auction", "--seed", "-1", "--out", str(tmp_path / "a")]) == 4
    assert not (tmp_path / "a").exists()
