"""Pictures of a fit for its run: who measures what, who weighs how much, curves.

Drawn without a display from plain numbers. Knows nothing of models or of MLflow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.bundle import Metric

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_INK = ("#1f5a7a", "#d98c3f", "#5b8c5a", "#8a5a83", "#777777", "#b4483f", "#3f8f8f", "#a08a2c")


@dataclass(slots=True, frozen=True)
class Curve:
    """Lines over one axis; `lines` maps a label to (x, y) of equal length."""

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]
    log_x: bool = False


def by_contender(metrics: Mapping[str, Metric], own: str = "model") -> dict[str, dict[str, Metric]]:
    """Group metrics named "contender.metric" by contender; those without a dot are `own`'s."""
    found: dict[str, dict[str, Metric]] = {own: {}}
    for name, metric in metrics.items():
        contender, _, plain = name.rpartition(".")
        found.setdefault(contender or own, {})[plain] = metric
    return {contender: table for contender, table in found.items() if table}


def _figure(width: float, height: float) -> "Figure":
    # The figure alone: pyplot would keep state and look for a display.
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _bars(table: Mapping[str, Mapping[str, Metric]]) -> "Figure":
    metrics = list(dict.fromkeys(name for row in table.values() for name in row))
    figure = _figure(max(6.0, 1.6 * len(metrics) + 3), 4.5)
    axes = figure.subplots()
    width = 0.8 / len(table)
    for place, (contender, row) in enumerate(table.items()):
        held = [i for i, name in enumerate(metrics) if name in row]
        found = [row[metrics[i]] for i in held]
        values = np.array([metric.value for metric in found])
        ends = np.array([[m.value - m.low for m in found], [m.high - m.value for m in found]])
        axes.bar(
            np.array(held) + (place - (len(table) - 1) / 2) * width,
            values,
            width,
            yerr=np.maximum(ends, 0),
            label=contender,
            color=_INK[place % len(_INK)],
            error_kw={"elinewidth": 1, "capsize": 2},
        )
    axes.set_xticks(range(len(metrics)), metrics)
    axes.set_title("Test split, 95 % intervals")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _weights(weights: Mapping[str, float]) -> "Figure":
    figure = _figure(6.0, 0.5 * len(weights) + 1.5)
    axes = figure.subplots()
    axes.barh(list(weights), list(weights.values()), color=_INK[0])
    axes.invert_yaxis()
    axes.set_title("Weights of the blend")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _curve(curve: Curve) -> "Figure":
    figure = _figure(6.0, 4.5)
    axes = figure.subplots()
    for place, (label, (x, y)) in enumerate(curve.lines.items()):
        axes.plot(x, y, label=label, color=_INK[place % len(_INK)])
    if curve.log_x:
        axes.set_xscale("log")
    axes.set(title=curve.title, xlabel=curve.x_label, ylabel=curve.y_label)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def draw(
    folder: Path,
    metrics: Mapping[str, Metric],
    weights: Mapping[str, float],
    curves: Mapping[str, Curve],
) -> dict[str, Path]:
    """Draw everything there is to draw as PNG files in `folder`; answer their paths by name.

    `metrics` are a manifest's: "member.metric" for those compared with, "metric" for the
    model. `weights` are of the blend's members. What is empty is left out.
    """
    figures: dict[str, Figure] = {}
    if metrics:
        figures["metrics"] = _bars(by_contender(metrics))
    if weights:
        figures["weights"] = _weights(weights)
    figures |= {name: _curve(curve) for name, curve in curves.items() if curve.lines}
    paths = {name: folder / f"{name}.png" for name in figures}
    for name, figure in figures.items():
        figure.savefig(paths[name], dpi=110)
    return paths
