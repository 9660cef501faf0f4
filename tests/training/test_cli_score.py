"""`score` as a command: its families, its help, what it refuses before anything is loaded."""

import pytest

from training import cli_score
from training.cli import main
from training.cli_score import SCORES


def test_churn_is_one_of_the_families() -> None:
    assert {"churn", "uplift", "intent"} <= SCORES.keys()


def test_rows_and_file_are_told(monkeypatch, tmp_path, capsys) -> None:
    asked = []
    monkeypatch.setitem(cli_score.SCORES, "churn", lambda args: asked.append(args) or 1234)
    out = tmp_path / "x.parquet"
    words = ["score", "churn", "--as-of", "2024-01-01", "--version", "v1", "--out", str(out)]
    assert main(words) == 0
    assert (asked[0].as_of, asked[0].version, asked[0].out) == ("2024-01-01", "v1", out)
    assert "1,234 users scored" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["score"], ["score", "churn"], ["score", "love", "--out", "x"]])
def test_wrong_usage_ends_with_two(words, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_help_teaches(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["score", "--help"])
    assert "--as-of 2024-06-01" in capsys.readouterr().out
