"""`rollback` is one command, and says when there is nothing to go back to."""

from models.bundle import read_pointer
from training.cli import main


def test_one_command_goes_back_and_no_further_than_the_first(walked, capsys):
    family = walked.bundles / "recommend"
    assert main(["release"]) == 0
    first = read_pointer(family).version
    same = ["--set", 'members=["popularity", "graph"]', "--set", "min_cases=10"]
    assert main(["fit", "--no-drain", *same]) == 0
    assert main(["release"]) == 0
    assert read_pointer(family).version != first
    capsys.readouterr()
    assert main(["rollback", "recommend"]) == 0
    assert capsys.readouterr().out == f"champion: recommend {first}\n"
    assert read_pointer(family).version == first
    assert main(["rollback"]) == 5
    assert "no earlier release" in capsys.readouterr().err
