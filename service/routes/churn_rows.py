"""One user of a sweep as it is sent: JSON, a line of NDJSON, or a line of CSV.

Reasons are put in words here, when somebody reads them. Knows nothing of requests.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from domain.scores import Action, Band, Direction, Reason
from feature_store.audiences import advised
from feature_store.sweeps.pages import LEVELS
from feature_store.sweeps.reading import Sweep
from feature_store.sweeps.shelf import Summary
from feature_store.sweeps.table import SweepTable
from models.churn.picks import Picked, reasons_at
from models.churn.reasons import Teller, teller_of

Rows = npt.NDArray[np.int64]
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""A cell that begins so is a formula to a spreadsheet."""


class ReasonOut(msgspec.Struct, frozen=True):
    """What the score is associated with; `share` of all influences, `contribution` in log-odds."""

    group: str
    text: str
    direction: Direction
    share: float
    value: float | None
    reference: float | None
    contribution: float


class SurvivalOut(msgspec.Struct, frozen=True):
    """The chance that they stay silent (inactivity) or keep the contract for so many days."""

    days: float
    probability: float


class UpliftOut(msgspec.Struct, frozen=True, gc=False):
    """What contact adds to the chance that they stay, with its 95 % interval; below 0 it harms.
    Learned from a randomised trial by `model`."""

    effect: float
    low: float
    high: float
    model: str


class UserOut(msgspec.Struct, frozen=True):
    """One user of the last sweep; null where a number is not known, and without a model of a
    randomised trial for what contact changes."""

    user: str
    probability: float
    confidence: float
    band: Band
    previous_band: Band | None
    value: float | None
    expected_loss: float | None
    survival: tuple[SurvivalOut, ...]
    reasons: tuple[ReasonOut, ...]
    as_of: int
    horizon_days: float
    model: str
    uplift: UpliftOut | None
    recommended_action: Literal["contact", "leave_alone", "wait"] | None


def model_of(summary: Summary) -> str:
    """Answer the model of a sweep as every answer names it: family and version."""
    return f"{summary.family}/{summary.model}"


def _known(value: float) -> float | None:
    return value if value == value else None


@lru_cache(maxsize=4)
def _teller(features: bytes) -> Teller:
    told = msgspec.json.decode(features)
    triples = list(zip(told["names"], told["groups"], told["units"], strict=True))
    return teller_of(triples, told["typical"])


def teller_of_sweep(summary: Summary) -> Teller:
    """Answer who puts the reasons of a sweep in words, as its model's features are called."""
    return _teller(msgspec.json.encode(summary.features))


def _picked(table: SweepTable) -> Picked:
    n, most = table["reason_group"].shape
    return Picked(
        table["reason_group"],
        table["reason_line"],
        table["reason_numbers"].reshape(n, most, 2),
        table["reason_total"],
        table["reason_share"],
        table["rest"],
    )


def users_out(sweep: Sweep, rows: Rows) -> list[UserOut]:
    """Answer some rows of a sweep, in the order given."""
    summary, table = sweep.summary, sweep.table.taken(rows)
    teller, picked = teller_of_sweep(summary), _picked(table)
    names = ("probability", "confidence", "level", "previous", "value", "expected_loss", "survival")
    columns: list[list[Any]] = [table.users.to_pylist(), *(table[name].tolist() for name in names)]
    columns += [list(_uplift(sweep, rows)), list(advised(sweep, rows))]
    return [
        _user_out(summary, reasons_at(teller, picked, row), *(column[row] for column in columns))
        for row in range(len(rows))
    ]


def _uplift(sweep: Sweep, rows: Rows) -> list[UpliftOut] | list[None]:
    """Answer what contact would change for some rows; None without a model."""
    kept = sweep.features
    if kept is None or not sweep.summary.uplift:
        return [None] * len(rows)
    model = f"uplift/{sweep.summary.uplift}"
    effect, low, high = (kept[f"uplift.{name}"][rows].tolist() for name in _ENDS)
    return [UpliftOut(effect[row], low[row], high[row], model) for row in range(len(rows))]


_ENDS = ("effect", "low", "high")


def action_counts(sweep: Sweep, rows: Rows) -> dict[str, int] | None:
    """Answer how many of some rows each action is advised for, None without an uplift model."""
    if not sweep.summary.uplift:
        return None
    counts = Counter(advised(sweep, rows))
    return {action.value: counts[action.value] for action in Action}


def _user_out(summary: Summary, reasons: tuple[Reason, ...], user: str, *told: Any) -> UserOut:
    probability, confidence, level, previous, value, loss, survival, uplift, action = told
    chances = zip(summary.survival_days, survival, strict=True)
    return UserOut(
        user,
        probability,
        confidence,
        LEVELS[int(level)],
        LEVELS[int(previous)] if previous >= 0 else None,
        _known(value),
        _known(loss),
        tuple([SurvivalOut(days, chance) for days, chance in chances if chance == chance]),
        tuple([ReasonOut(*reason) for reason in reasons]),
        summary.as_of,
        summary.horizon_days,
        model_of(summary),
        uplift,
        action,
    )


def ndjson(users: Sequence[UserOut]) -> bytes:
    """Answer one JSON object a line."""
    return msgspec.json.Encoder().encode_lines(users)


def safe_cell(text: str) -> str:
    """Answer a text that no spreadsheet takes for a formula: an apostrophe goes before one."""
    return "'" + text if text.startswith(_DANGEROUS) else text


def csv_head(summary: Summary, reasons: int) -> bytes:
    """Answer the first line of a CSV file."""
    days = [f"survival_{day:g}d" for day in summary.survival_days]
    told = [f"reason_{place}" for place in range(1, reasons + 1)]
    return _lines([[*_PLAIN, *days, *told, *_LAST]])


_PLAIN = (
    "user",
    "probability",
    "confidence",
    "band",
    "previous_band",
    "value",
    "expected_loss",
)


_LAST = (
    *("as_of", "horizon_days", "model", "sweep"),
    *("uplift", "uplift_low", "uplift_high", "recommended_action"),
)


def csv_lines(summary: Summary, users: Sequence[UserOut], reasons: int) -> bytes:
    """Answer one line a user (RFC 4180): numbers in full, empty where unknown, reasons in words."""
    return _lines(_cells(summary, users, reasons))


def _cells(summary: Summary, users: Sequence[UserOut], reasons: int) -> Iterator[Sequence[object]]:
    for user in users:
        chances = {one.days: one.probability for one in user.survival}
        texts = [safe_cell(one.text) for one in user.reasons[:reasons]]
        yield (
            safe_cell(user.user),
            user.probability,
            user.confidence,
            user.band.value,
            user.previous_band.value if user.previous_band else None,
            user.value,
            user.expected_loss,
            *(chances.get(day) for day in summary.survival_days),
            *texts,
            *([None] * (reasons - len(texts))),
            user.as_of,
            user.horizon_days,
            user.model,
            summary.id,
            *(None if user.uplift is None else getattr(user.uplift, name) for name in _ENDS),
            user.recommended_action,
        )


def _lines(rows: Iterator[Sequence[object]] | list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
