"""Pictures of a fit for its run: who measures what, who weighs how much.

Drawn without a display from plain numbers. Knows nothing of models or of MLflow.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.bundle import Metric

_INK = "#1f5a7a"
_FADED = "#9db8c7"


def _draw(path: Path, chart: Mapping[str, Any]) -> None:
    # The figure alone: pyplot would keep state and look for a display.
    from matplotlib.figure import Figure

    labels, values = list(chart["labels"]), np.asarray(chart["values"], float)
    errors = None
    if "low" in chart and "high" in chart:
        ends = (values - np.asarray(chart["low"]), np.asarray(chart["high"]) - values)
        errors = np.maximum(ends, 0)
    figure = Figure(figsize=(7.0, 0.45 * len(labels) + 1.5), layout="constrained")
    axes = figure.subplots()
    colours = [_INK if place == 0 else _FADED for place in range(len(labels))]
    axes.barh(labels, values, xerr=errors, color=colours, error_kw={"capsize": 3})
    axes.invert_yaxis()
    axes.set_title(chart["title"])
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _draw_lines(path: Path, chart: Mapping[str, Any]) -> None:
    from matplotlib.figure import Figure

    along = np.asarray(chart["labels"], float)
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    for place, (name, values) in enumerate(chart["lines"].items()):
        colour, style = (_INK, "-") if place == 0 else (_FADED, ("--", ":", "-.")[place % 3])
        axes.plot(along, np.asarray(values, float), style, color=colour, label=name)
    if "low" in chart and "high" in chart:
        axes.fill_between(along, chart["low"], chart["high"], color=_INK, alpha=0.15, linewidth=0)
    axes.set_title(chart["title"])
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=110)


def coverage_chart(metrics: Mapping[str, Metric]) -> dict[str, dict[str, Any]]:
    """Answer the chart of how much of the catalogue the first k reach, if it was measured."""
    found = {name: m.value for name, m in metrics.items() if name.startswith("coverage_at_")}
    if not found:
        return {}
    labels = [name.removeprefix("coverage_at_") for name in found]
    title = "Share of the catalogue in the first k of anyone's answer"
    return {"coverage": {"title": title, "labels": labels, "values": list(found.values())}}


_PARTS = {
    "repeat": "had before",
    "explore": "never had",
    "short": "users with few events",
    "rare": "items with few events",
}


def _bars(title: str, found: Mapping[str, Metric]) -> dict[str, Any]:
    """Answer a chart of bars with intervals, in the order given."""
    return {
        "title": title,
        "labels": list(found),
        "values": [metric.value for metric in found.values()],
        "low": [metric.low for metric in found.values()],
        "high": [metric.high for metric in found.values()],
    }


def recommend_charts(
    metrics: Mapping[str, Metric], weights: Mapping[str, float]
) -> dict[str, dict[str, Any]]:
    """Answer the charts of a recommender's report (see training.evaluate.report).

    weights: member → weight in the blend, in the order of the members; members that were not
    measured alone are left out of the first chart. What was not measured has no chart.
    """
    alone = {name: metrics.get(f"{name}_ndcg_at_10") for name in weights}
    members = {"all together": metrics["ndcg_at_10"]}
    members |= {name: metric for name, metric in alone.items() if metric is not None}
    cuts = sorted(int(name.removeprefix("hr_at_")) for name in metrics if name.startswith("hr_at_"))
    lines = {
        what: [metrics[f"{what}_at_{k}"].value for k in cuts]
        for what in ("ndcg", "recall", "hr", "mrr")
        if all(f"{what}_at_{k}" in metrics for k in cuts)
    }
    ends = [metrics[f"ndcg_at_{k}"] for k in cuts]
    parts = {
        label: metrics[f"{part}_ndcg_at_10"]
        for part, label in _PARTS.items()
        if f"{part}_ndcg_at_10" in metrics
    }
    charts = {
        "members": _bars("NDCG at 10 on the test split, all together and each alone", members),
        "at_k": {
            "title": "The first k on the test split",
            "labels": cuts,
            "lines": lines,
            "low": [metric.low for metric in ends],
            "high": [metric.high for metric in ends],
        },
        "weights": {
            "title": "Weight of each member in the blend",
            "labels": list(weights),
            "values": list(weights.values()),
        },
    }
    if parts:
        charts["parts"] = _bars("NDCG at 10, what is wanted told apart", parts)
    return charts


def ready() -> None:
    """Load what draws, so that drawing takes no longer than it must."""
    from matplotlib.figure import Figure

    Figure().subplots()


def draw(folder: Path, charts: Mapping[str, Mapping[str, Any]]) -> dict[str, Path]:
    """Draw charts as `<folder>/<name>.png`; answer their paths by name.

    A chart has title, labels and values of equal length, and low and high of the same length
    where the values have intervals. The first bar is the one the picture is about. A chart with
    `lines`, name → values of equal length, in place of values is drawn as lines over its labels,
    which are numbers; low and high are those of the first line.
    """
    paths = {name: folder / f"{name}.png" for name, chart in charts.items() if chart["labels"]}
    for name, path in paths.items():
        (_draw_lines if "lines" in charts[name] else _draw)(path, charts[name])
    return paths
