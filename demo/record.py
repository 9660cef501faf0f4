"""The released model's record: its run in MLflow and its figures beside popularity's.

Asks the training command line, as a person would. Knows nothing of how it is kept.
"""

from typing import Any

from demo.commands import FAMILY, Commands
from demo.telling import DemoFailed, Teller
from feature_store.settings import Home
from models.bundle import Metric, open_bundle
from models.bundle_pointers import read_pointer

SHOWN = ("hr_at_10", "recall_at_10", "ndcg_at_10")
RIVAL = "popularity"


def told_record(commands: Commands, teller: Teller) -> None:
    """Show the run and the figures; raises DemoFailed when the record is not there."""
    words = ["training", "models", FAMILY, "--json"]
    teller.command(["python", "-m", *words])
    found: Any = commands.answer(words)
    current = [row for row in found[FAMILY] if "current" in row["state"]]
    if not current or "champion" not in current[0]["aliases"]:
        raise DemoFailed("the released version has no champion alias in MLflow")
    row = current[0]
    teller.table(
        [
            ["version", row["version"]],
            ["MLflow", f"registered version {row['number']}, alias champion, run {row['run']}"],
        ]
    )
    family = Home(commands.place.home).bundles / FAMILY
    pointer = read_pointer(family)
    if pointer is None or pointer.version != row["version"]:
        raise DemoFailed("the record and the pointer on disk name different versions")
    metrics = open_bundle(family / pointer.version).manifest.metrics
    teller.blank()
    teller.table([["on the test part", "model", RIVAL], *figures(metrics)])
    teller.holds("the pointer on disk and MLflow's champion are the same version")


def figures(metrics: dict[str, Metric]) -> list[list[str]]:
    """Answer a row a metric: the model's mean with its 95 % interval, and popularity's."""
    return [
        [name, _interval(metrics[name]), _interval(metrics.get(f"{RIVAL}_{name}"))]
        for name in SHOWN
        if name in metrics
    ]


def _interval(metric: Metric | None) -> str:
    if metric is None:
        return "–"
    return f"{metric.value:.4f} [{metric.low:.4f}, {metric.high:.4f}]"
