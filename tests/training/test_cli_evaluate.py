"""`evaluate` prints everyone on the same cases, and says how the champion took part."""

from mlflow import MlflowClient

from training.cli import main
from training.tracking import Tracking


def test_the_table_has_everyone_with_intervals_and_paired_differences(walked, capsys):
    assert main(["evaluate", "recommend"]) == 0
    shown = capsys.readouterr().out
    header = shown.splitlines()[0]
    for who in ("challenger", "popularity", "graph"):
        assert who in header
    assert "| ndcg_at_10" in shown
    assert "challenger - popularity, ndcg_at_10: +0." in shown
    # What the fit recorded is what is measured again: nothing to note.
    assert "note:" not in shown


def test_after_a_release_the_champion_is_in_the_table(walked, capsys):
    assert main(["release"]) == 0
    only = 'members=["popularity"]'
    assert main(["fit", "--no-drain", "--set", only, "--set", "min_cases=10"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "--record"]) == 0
    shown = capsys.readouterr().out
    assert "champion" in shown.splitlines()[0]
    assert "learned again from before the test split" in shown
    assert "challenger - champion, ndcg_at_10: -0." in shown
    tracking = Tracking(walked.mlflow)
    (tracked,) = [t for t in tracking.versions("recommend").values() if "challenger" in t.aliases]
    metrics = MlflowClient(tracking.uri).get_run(tracked.run_id).data.metrics
    assert metrics["evaluate.as-fitted.champion.ndcg_at_10"] > 0


def test_another_split_and_other_metrics_can_be_chosen(walked, capsys):
    assert main(["evaluate", "--split", "leave-one-out", "--metrics", "mrr_at_5"]) == 0
    shown = capsys.readouterr().out
    assert "mrr_at_5" in shown
    assert "ndcg" not in shown
    assert "60 cases" in shown


def test_a_metric_that_does_not_exist_is_refused(walked, capsys):
    assert main(["evaluate", "--metrics", "luck"]) == 4
    assert "ndcg_at_10" in capsys.readouterr().err


def test_lists_from_anywhere_are_measured(walked, tmp_path, capsys):
    # Everyone walks round a circle: whoever has an item has the next one next.
    path = tmp_path / "lists.csv"
    rows = [f"{user},{rank},item{rank:02d}" for user in range(60) for rank in range(1, 21)]
    path.write_text("\n".join(["user,rank,item", *rows]))
    assert main(["evaluate", "--lists", str(path)]) == 0
    shown = capsys.readouterr().out
    header = shown.splitlines()[0]
    assert "lists" in header
    assert "popularity" in header
    assert "| recall_at_10" in shown
    assert "users asked about" in shown
    assert main(["evaluate", "--lists", str(path), "--metrics", "hr_at_5", "--discover"]) == 0
    assert "ndcg" not in capsys.readouterr().out


def test_what_goes_with_lists_alone_is_refused_without(walked, capsys):
    assert main(["evaluate", "--discover"]) == 4
    assert "go with --lists" in capsys.readouterr().err


def test_without_a_model_it_says_to_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SANDERLING_HOME", str(tmp_path))
    assert main(["evaluate"]) == 5
    assert "training fit recommend" in capsys.readouterr().err
