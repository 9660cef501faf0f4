"""`release` on the command line: the gate's words and statuses, from real fits."""

from models.bundle import read_pointer
from training.cli import main


def test_a_good_first_model_is_released(walked, capsys):
    assert main(["release", "recommend"]) == 0
    shown = capsys.readouterr().out
    for check in ("quality", "golden", "size", "latency"):
        assert f"passed {check}: " in shown
    version = read_pointer(walked.bundles / "recommend").version
    assert f"champion: recommend {version}" in shown
    assert main(["release", "recommend"]) == 0
    assert "current already" in capsys.readouterr().out


def test_a_worse_one_is_not_and_ends_with_3(walked, capsys):
    assert main(["release"]) == 0
    pointer = read_pointer(walked.bundles / "recommend")
    only = 'members=["popularity"]'
    assert main(["fit", "--no-drain", "--set", only, "--set", "min_cases=10"]) == 0
    capsys.readouterr()
    assert main(["release", "--max-mb", "0.000001"]) == 3
    shown = capsys.readouterr()
    assert "not released" in shown.err
    assert "  - quality: ndcg_at_10" in shown.err
    assert "  - size: " in shown.err
    assert shown.out == ""
    assert read_pointer(walked.bundles / "recommend") == pointer
