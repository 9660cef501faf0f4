"""How well buy-till-you-die models foresee orders: CDNOW, weeks 1–39, then weeks 40–78.

The published protocol (Fader, Hardie and Lee, 2005): a customer's days with an order until 30
September 1997 in weeks of seven days, judged by the number of days with an order in the 39 weeks
after. The mean absolute error is shown as a warning: most buy nothing, so a model that says
nothing to everybody nearly wins by it.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from benchmarks.harness import Arguments, Bar, Outcome
from domain.clock import DAY_MS
from models.btyd import Customers, customers_from_orders
from training.fit.btyd import Fitted, fit_orders, fit_spend
from training.importing.presets import PRESETS

DATASET = "cdnow-sample"
FIRST_DAY = 9862
"""1 January 1997, in days since 1970."""

LAST_DAY = FIRST_DAY + 39 * 7 - 1
WEEK = 7.0
HOLDOUT_WEEKS = 39.0
PUBLISHED = {
    "bgnbd": ({"r": 0.2426, "alpha": 4.4136, "a": 0.7929, "b": 2.4259}, 1.608),
    "pareto": ({"r": 0.5533, "alpha": 10.578, "s": 0.6063, "beta": 11.669}, 1.603),
    "mbgnbd": ({}, None),
}
"""Model → (published numbers, published error of the number of orders in the holdout)."""

TOLERANCE = 1e-3


@dataclass(slots=True, frozen=True)
class Case:
    """The calibration customers, what each bought in the holdout, and what their orders cost.

    later: float64[n], days with an order in the holdout. spend: float64[n], mean value of the
    repeat orders of the calibration, 0 without one. later_value: float64[n], money in the holdout.
    """

    customers: Customers
    later: npt.NDArray[np.float64]
    spend: npt.NDArray[np.float64]
    later_value: npt.NDArray[np.float64]


def _orders(days: pl.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    return days["user"].to_numpy(), days["day"].to_numpy().astype(np.float64)


def read_case(folder: Path) -> Case:
    """Read the log in `folder` and cut it after week 39."""
    frame = pl.concat(PRESETS[DATASET].events(folder))
    days = frame.select(
        pl.col("user").cast(pl.Int64), (pl.col("at") // DAY_MS).alias("day"), "value"
    )
    days = days.group_by("user", "day").agg(pl.col("value").sum()).sort("user", "day")
    who, customers = customers_from_orders(*_orders(days), LAST_DAY)
    # Who first comes in the holdout is no customer yet, so nothing is foreseen of them.
    days = days.filter(pl.col("user").is_in(who.tolist()))
    users, day = _orders(days)
    value = days["value"].to_numpy()
    places = np.searchsorted(who, users)
    first = np.zeros(len(users), np.bool_)
    first[np.unique(users, return_index=True)[1]] = True
    later = day > LAST_DAY
    repeats = ~later & ~first

    def per_customer(kept: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64] | None):
        own = None if weights is None else weights[kept]
        return np.bincount(places[kept], own, len(who)).astype(np.float64)

    count, spent = per_customer(repeats, None), per_customer(repeats, value)
    spend = np.divide(spent, count, out=np.zeros(len(who)), where=count > 0)
    return Case(
        customers.scaled(WEEK), per_customer(later, None), spend, per_customer(later, value)
    )


def auc(score: npt.NDArray[np.float64], label: npt.NDArray[np.bool_]) -> float:
    """Answer the chance that one labelled scores above one not labelled, ties counting half."""
    _, places, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    ones = int(label.sum())
    return float((ranks[places][label].sum() - ones * (ones + 1) / 2) / ones / (len(label) - ones))


def average_precision(score: npt.NDArray[np.float64], label: npt.NDArray[np.bool_]) -> float:
    """Answer the mean precision over the labelled, best score first, ties taken together."""
    distinct, places = np.unique(-score, return_inverse=True)
    hits = np.bincount(places, label, len(distinct))
    found, seen = np.cumsum(hits), np.cumsum(np.bincount(places, minlength=len(distinct)))
    return float((hits * found / seen).sum() / label.sum())


def _judged(name: str, fitted: Fitted, case: Case) -> dict[str, float]:
    """Answer the figures of one fitted model on the holdout."""
    gone = case.later == 0
    expected = fitted.model.expected(case.customers, HOLDOUT_WEEKS)
    inactive = np.clip(fitted.model.inactive(case.customers, HOLDOUT_WEEKS), 1e-12, 1 - 1e-12)
    off = expected - case.later
    figures = {
        **asdict(fitted.model),
        "rmse": float(np.sqrt(np.mean(off**2))),
        "mae": float(np.mean(np.abs(off))),
        "total": float(expected.sum()),
        "auc": auc(inactive, gone),
        "average_precision": average_precision(inactive, gone),
        "log_loss": float(-np.mean(np.log(np.where(gone, inactive, 1 - inactive)))),
        "p_alive_auc": auc(-fitted.model.alive(case.customers), gone),
        "log_likelihood": fitted.log_likelihood,
        "converged": float(fitted.converged),
    }
    return {f"{name}_{one}": value for one, value in figures.items()}


def _note(name: str, fitted: Fitted) -> str:
    numbers = asdict(fitted.model).items()
    shown = ", ".join(f"{one} {value:.4f} ± {fitted.errors[one]:.4f}" for one, value in numbers)
    return f"{name}: {shown} ({fitted.evaluations} evaluations, {fitted.message})"


def _bars(figures: dict[str, float]) -> list[Bar]:
    bars: list[Bar] = []
    for name, (numbers, error) in PUBLISHED.items():
        for one, value in numbers.items():
            found = figures[f"{name}_{one}"]
            near = abs(found / value - 1) <= TOLERANCE
            bars.append(Bar(f"{name}_{one}", f"= {value:g} ± 0.1 %", found, near))
        if error is not None:
            found = figures[f"{name}_rmse"]
            # To three places, as published.
            bars.append(Bar(f"{name}_rmse", f"<= {error:g}", found, round(found, 3) <= error))
    return bars


def run_cdnow(arguments: Arguments) -> Outcome:
    """Fit every model on weeks 1–39 and judge it on weeks 40–78.

    Every `auc`, `average_precision` and `log_loss` speaks of the chance of buying nothing in the
    holdout; those without a model's name are of the model likeliest on the calibration weeks.
    Raises TooLittleData when the log is not there.
    """
    case = read_case(arguments.need(DATASET))
    gone = case.later == 0
    fits = {name: fit_orders(name, case.customers) for name in PUBLISHED}
    best = max(fits, key=lambda name: fits[name].log_likelihood)
    figures: dict[str, float] = {}
    for name, fitted in fits.items():
        figures |= _judged(name, fitted, case)
    whole = {one: figures[f"{best}_{one}"] for one in ("auc", "average_precision", "log_loss")}
    spend = fit_spend(case.customers.frequency, case.spend)
    value = spend.model.expected(case.customers.frequency, case.spend)
    orders = fits[best].model.expected(case.customers, HOLDOUT_WEEKS)
    figures = {
        **whole,
        "base_rate": float(gone.mean()),
        "recency_auc": auc(case.customers.age - case.customers.recency, gone),
        "frequency_auc": auc(-case.customers.frequency, gone),
        "customers": float(len(gone)),
        "holdout_total": float(case.later.sum()),
        "zero_rmse": float(np.sqrt(np.mean(case.later**2))),
        "zero_mae": float(case.later.mean()),
        **figures,
        **{f"gammagamma_{name}": number for name, number in asdict(spend.model).items()},
        "value_total": float(value @ orders),
        "holdout_value_total": float(case.later_value.sum()),
    }
    notes = [_note(name, fitted) for name, fitted in fits.items()]
    notes += [f"likeliest on the calibration weeks: {best}", _note("gammagamma", spend)]
    notes.append("mae is a trap: zero_mae is that of expecting nothing of anybody")
    return Outcome(figures, _bars(figures), notes)
