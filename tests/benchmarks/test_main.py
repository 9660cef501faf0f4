"""The command: its exit statuses, its last line, the dict of benchmarks."""

import json
from dataclasses import replace

import pytest

import benchmarks.__main__ as command
from benchmarks.harness import Arguments, Outcome, at_least
from domain.errors import TooLittleData


def _with(monkeypatch: pytest.MonkeyPatch, value: float) -> list[Arguments]:
    seen: list[Arguments] = []

    def run(arguments: Arguments) -> Outcome:
        seen.append(arguments)
        if value < 0:
            raise TooLittleData("nothing to measure")
        figures = {"rate": value}
        return Outcome(figures, [at_least("rate", figures, 1.0)])

    monkeypatch.setattr(command, "BENCHMARKS", {"probe": run})
    return seen


@pytest.mark.parametrize(("value", "status"), [(2.0, 0), (0.5, 1), (-1.0, 2)])
def test_the_exit_status_says_held_missed_or_not_run(
    monkeypatch: pytest.MonkeyPatch, value: float, status: int
) -> None:
    _with(monkeypatch, value)
    assert command.main(["probe", "--json"]) == status


def test_the_last_line_is_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with(monkeypatch, 2.0)
    command.main(["probe", "--json"])
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["benchmark"] == "probe"
    assert last["figures"] == {"rate": 2.0}


def test_without_json_people_are_shown_the_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with(monkeypatch, 2.0)
    command.main(["probe"])
    shown = capsys.readouterr().out
    assert "rate" in shown
    assert "{" not in shown


def test_arguments_reach_the_benchmark(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    seen = _with(monkeypatch, 2.0)
    options = ["--data", str(folder), "--dataset", "lastfm", "--runs", "3", "--seconds", "0.5"]
    command.main(["probe", *options])
    more = ["--split", "time", "--cold", "--budget", "3m", "--catalogue", "100000"]
    command.main(["probe", *options, *more])
    plain = Arguments(folder, "lastfm", 3, 0.5)
    assert seen == [plain, replace(plain, split="time", cold=True, budget=180.0, catalogue=100_000)]


def test_a_budget_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["recommend-quality", "--budget", "soon"])
    assert "like 90s, 10m" in capsys.readouterr().err


def test_every_promised_benchmark_is_there() -> None:
    promised = {"parity", "replay", "intake", "freshness", "recommend-quality", "latency"}
    assert promised <= command.BENCHMARKS.keys()


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["speed-of-light"])
    assert ended.value.code == 2
    assert "invalid choice" in capsys.readouterr().err


def test_all_runs_what_is_named_and_refuses_what_is_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _with(monkeypatch, 2.0)
    asked: list[list[str]] = []
    monkeypatch.setattr(command.results, "run_all", lambda names, *_: asked.append(names) or 0)
    assert command.main(["all", "--only", "probe"]) == 0
    assert command.main(["all"]) == 0
    assert asked == [["probe"], ["probe"]]
    with pytest.raises(SystemExit):
        command.main(["all", "--only", "probe,nothing"])
    assert "no benchmark is called 'nothing'; there are probe" in capsys.readouterr().err
