"""The command line as a whole: quick help, exit statuses that say who acts, --home anywhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from domain import errors
from training import cli
from training.cli import COMMANDS, EXITS, main

ROOT = Path(__file__).resolve().parents[2]


def test_every_command_teaches_with_examples(capsys):
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert stopped.value.code == 0
        shown = capsys.readouterr().out
        assert f"python -m training {name}" in shown
        assert "--home" in shown


def test_help_names_every_command_and_loads_none_of_them():
    code = (
        "import sys\nfrom training.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'mlflow', 'numpy', 'polars', 'redis'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for name in COMMANDS:
        assert name in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("words", [[], ["nonsense"], ["fit", "--nonsense"], ["fit", "nobody"]])
def test_wrong_usage_ends_with_2(words):
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("error", "status", "who"),
    [
        (errors.GateFailed("x"), 3, "not released"),
        (errors.TooLittleData("x"), 4, "data or the settings must change"),
        (errors.BundleRefused("x"), 5, "deployment must change"),
        (errors.StoreUnavailable("x"), 6, "try again later"),
        (errors.NotFound("x"), 2, "command must change"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
)
def test_an_error_says_who_must_act_and_ends_with_its_status(
    monkeypatch, capsys, error, status, who
):
    def fail(args):
        raise error

    from training import cli_rollback

    monkeypatch.setattr(cli_rollback, "run", fail)
    assert main(["rollback"]) == status
    shown = capsys.readouterr()
    assert who in shown.err
    assert shown.out == ""


def test_every_branch_of_the_error_tree_has_a_status():
    for branch in errors.SanderlingError.__subclasses__():
        assert any(issubclass(branch, kind) for kind in EXITS)


@pytest.mark.parametrize("before", [True, False])
def test_home_is_taken_wherever_it_stands(monkeypatch, tmp_path, capsys, before):
    monkeypatch.setenv("SANDERLING_HOME", "elsewhere")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    words = ["--home", str(tmp_path)]
    assert main([*words, "models"] if before else ["models", *words]) == 0
    assert os.environ["SANDERLING_HOME"] == str(tmp_path)
    assert "no model yet" in capsys.readouterr().out


def test_looking_at_an_empty_home_makes_nothing(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert main(["models"]) == 0
    assert not (tmp_path / "none").exists()


def test_the_module_runs_as_a_program():
    done = subprocess.run(
        [sys.executable, "-m", "training", "nonsense"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "invalid choice" in done.stderr
    assert cli.__doc__
