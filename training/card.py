"""The model card: what a bundle is, from what it was learned, how good, and what it is not for.

Plain Markdown made from the numbers alone (Mitchell et al., Model Cards for Model Reporting,
2019). Knows nothing of MLflow or of how the numbers came about.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from models.bundle import DataStamp, Metric
from training.tracking import flat


@dataclass(slots=True, frozen=True)
class About:
    """What a family says of itself on its cards."""

    title: str
    does: str
    use: str
    limits: tuple[str, ...]


ABOUT: dict[str, About] = {
    "recommend": About(
        title="Recommender",
        does=(
            "Scores every item of the catalogue for one history of events: its best member alone, "
            "a weighted blend of members, or a forest that ranks the best of the blend again, "
            "whichever validation spoke for."
        ),
        use="Ranking items for a user, an anonymous session or beside an item.",
        limits=(
            "It learned from what people did, which depends on what they were shown; it is not "
            "a measure of what they would have done otherwise.",
            "Items that came after the data ended have no scores until the next fit; the service "
            "fills in with newest items and says so.",
            "Offline ranking metrics order models; they do not foretell sales.",
        ),
    ),
    "churn": About(
        title="Churn",
        does=(
            "Answers how likely a customer is to be inactive, or to give up a contract, within "
            "the horizon: small trees and a line on the log-odds scale, calibrated out of fold. "
            "Without a contract nobody says that they leave, so it is a risk of inactivity."
        ),
        use="Knowing who is at risk, with reasons; whom to contact is a question for uplift.",
        limits=(
            "Reasons are associations in the data it learned from, not causes.",
            "Attributes of profiles have no past: they count as they are now, also for earlier "
            "cut-offs.",
            "A season that the log has not seen moves everybody's risk; compare the base rates "
            "of the test cut-offs.",
            "Who is new is told apart less well: see new_auc beside seen_auc.",
        ),
    ),
    "uplift": About(
        title="Uplift",
        does=(
            "Answers what contact adds to the chance of the good outcome, with a 95 % interval, "
            "learned from people who were contacted or left alone by chance. Above 0 contact "
            "keeps or brings somebody; below 0 it loses them."
        ),
        use="Deciding whom to contact, and whom to leave alone.",
        limits=(
            "It speaks of the contact that was tried, on people like those it was tried on.",
            "Effects are of groups that the attributes tell apart; what no attribute shows, no "
            "interval covers.",
            "Chance must have dealt the contacts: the balance test finds what attributes show, "
            "not a choice by something that was never written down.",
            "A Qini coefficient whose interval holds 0 has not shown that anybody is told apart.",
        ),
    ),
    "intent": About(
        title="Intent",
        does=(
            "Answers, after every event of a visit, how likely it ends as the target says within "
            "the session or the hours after: a network that reads the order of events, trees on "
            "what they add up to, or both on the log-odds scale."
        ),
        use="Bids, offers and recommendations while the visit goes on; see confidence before use.",
        limits=(
            "Below a confidence of one half fall back to what is done without a score.",
            "The question is answered once it has happened: after that the confidence is 0.",
            "A session ends after half an hour without an event; of longer ones the first 256 "
            "events are read.",
            "Rare targets: compare balanced_accuracy and average_precision with base_rate and "
            "majority_accuracy, not accuracy alone.",
        ),
    ),
    "bidding": About(
        title="Bidding",
        does=(
            "Foretells click and conversion of an impression by small trees on hashed words of "
            "the context, scores and the user's numbers, calibrated on later impressions, with "
            "conversions still to come allowed for; says how sure it is; and holds the landscape "
            "of prices, learned from wins, losses and prices to win."
        ),
        use="Values of candidates for paced and shaded bids, within every campaign's own limits.",
        limits=(
            "It learned from impressions that were won: what was never bought is not in it.",
            "Below a confidence of one half the campaign's standard bid stands for the value.",
            "Delays of conversions are taken as exponential and the same for all; of conversions "
            "after the window nothing is known.",
            "A bid without a word for an hour counts as lost.",
        ),
    ),
}


@dataclass(slots=True, frozen=True)
class Facts:
    """The numbers a card is made of; see models.bundle.Draft for their meaning."""

    family: str
    created_at: int
    metrics: Mapping[str, Metric]
    data: DataStamp
    params: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    views: Mapping[str, str] = field(default_factory=dict)
    commit: str = ""


def _day(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _in_order(name: str) -> list[str]:
    """Sort "at_5" before "at_10"."""
    return [part.zfill(6) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def by_contender(metrics: Mapping[str, Metric], own: str = "model") -> dict[str, dict[str, Metric]]:
    """Group metrics by contender: "graph_hr_at_10" beside "hr_at_10" is the hr_at_10 of graph.

    All others are `own`'s, which comes first.
    """
    found: dict[str, dict[str, Metric]] = {own: {}}
    for name in sorted(metrics, key=_in_order):
        contender, _, plain = name.partition("_")
        if plain in metrics:
            found.setdefault(contender, {})[plain] = metrics[name]
        else:
            found[own][name] = metrics[name]
    return found


def _cell(metric: Metric | None) -> str:
    if metric is None:
        return "–"
    if metric.low == metric.value == metric.high:
        return f"{metric.value:.4f}"
    return f"{metric.value:.4f} [{metric.low:.4f}, {metric.high:.4f}]"


def metric_table(table: Mapping[str, Mapping[str, Metric]]) -> list[str]:
    """Answer an aligned Markdown table: a row a metric, a column a contender, with intervals.

    A metric without an interval, such as coverage, is shown alone.
    """
    names = list(dict.fromkeys(name for row in table.values() for name in row))
    lines = [["", *table]]
    lines += [[name, *(_cell(row.get(name)) for row in table.values())] for name in names]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return [
        "| "
        + " | ".join(f"{cell:{width}}" for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]


def _list(values: Mapping[str, Any]) -> list[str]:
    return [f"- {name}: {value}" for name, value in values.items()] or ["- none"]


def graded(settings: Mapping[str, Any]) -> str:
    """Answer the quality grade of a fit with its reasons, "" where the fit gives none."""
    tuned = settings.get("tuned", {})
    if not isinstance(tuned, Mapping) or "grade" not in tuned:
        return ""
    why = "; ".join(tuned.get("grade_why", ()))
    return f"{tuned['grade']}: {why}" if why else str(tuned["grade"])


def chosen(settings: Mapping[str, Any]) -> list[str]:
    """Answer how the fit chose among contenders, as a list with intervals; empty without."""
    tuned = settings.get("tuned", {})
    if not isinstance(tuned, Mapping) or "choice" not in tuned:
        return []
    lines = [f"- chosen: {tuned['choice']}"]
    for name, value in tuned.items():
        what, dot, part = name.removeprefix("choice.").rpartition(".")
        if not name.startswith("choice.") or part in ("low", "high"):
            continue
        if dot:
            ends = tuned[f"choice.{what}.low"], tuned[f"choice.{what}.high"]
            metric = Metric(value, *ends)
            lines.append(f"- {what.replace('_', ' ')}: {_cell(metric)}")
        else:
            lines.append(f"- {part.replace('_', ' ')}: {value}")
    return lines


def cost(settings: Mapping[str, Any]) -> list[str]:
    """Answer what the fit took and what it gave up to take no more, as a list; empty without."""
    told = settings.get("cost", {})
    if not isinstance(told, Mapping) or "seconds" not in told:
        return []
    fit = settings.get("fit", {})
    budget = fit.get("budget_seconds") if isinstance(fit, Mapping) else None
    of = f" of {budget:,.0f} s" if budget else ""
    return [
        f"- time: {told['seconds']:,.0f} s{of}",
        f"- memory: {told['peak_mb']:,} MB at most",
        *(f"- given up for the budget: {what}" for what in told["given_up"]),
    ]


def card(facts: Facts) -> str:
    """Write the card of one fit. A family that says nothing of itself gets its name as title."""
    about = ABOUT.get(facts.family) or About(facts.family, "", "", ())
    data = facts.data
    members = facts.params.get("members", {})
    weights = {
        name: f"{member['weight']:.3f}"
        for name, member in members.items()
        if isinstance(member, Mapping) and "weight" in member
    }
    lines = [
        f"# {about.title} of {_day(facts.created_at)}",
        "",
        *([about.does, "", f"**For:** {about.use}", ""] if about.does else []),
        "## Data",
        "",
        f"- {data.events:,} events from {_day(data.first_at)} to {_day(data.last_at)}"
        if data.last_at
        else f"- {data.events:,} rows of a table",
        f"- digest `{data.digest}`",
        *_list({f"split, {name}": value for name, value in data.split.items()}),
        "",
        "## Measured on the test split",
        "",
        "Means with 95 % confidence intervals.",
        "",
        *metric_table(by_contender(facts.metrics)),
        "",
        *([f"Quality grade {grade}.", ""] if (grade := graded(facts.settings)) else []),
        *(
            ["## Choice on validation", "", *choice, ""]
            if (choice := chosen(facts.settings))
            else []
        ),
        *(["## Weights of the members", "", *_list(weights), ""] if weights else []),
        *(["## Cost", "", *spent, ""] if (spent := cost(facts.settings)) else []),
        "## Settings of the fit",
        "",
        *_list(flat({name: one for name, one in facts.settings.items() if name != "cost"})),
        "",
        "## Origin",
        "",
        f"- commit `{facts.commit or 'unknown'}`",
        *_list({f"feature view {name}": f"`{sign}`" for name, sign in facts.views.items()}),
        "",
        *(["## Limits", "", *(f"- {limit}" for limit in about.limits), ""] if about.limits else []),
    ]
    return "\n".join(lines)
