"""Fitting buy-till-you-die models by maximum likelihood, from several starts.

Numbers are searched as logarithms, so they stay above 0: quasi-Newton from every start, a longer
run from the best, Nelder-Mead to polish. Standard errors come from the curvature at the optimum.
Knows nothing of events, of time splits or of churn models.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from domain.errors import ScientistError, TooLittleData
from models.btyd.customers import F64, Customers
from models.btyd.features import Prospects
from models.btyd.gammagamma import GammaGamma
from models.btyd.model import ORDER_MODELS

LEAST_CUSTOMERS = 100
LEAST_REPEATERS = 20
_WIDEST = 15.0
"""How far the logarithm of a number may lie from that of its first start; past it, no optimum."""

_STARTS = {
    "bgnbd": ((0.5, 0.3, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (0.2, 0.1, 0.3, 3.0)),
    "mbgnbd": ((0.5, 0.3, 0.8, 2.5), (1.0, 1.0, 1.0, 1.0), (0.2, 0.1, 0.3, 3.0)),
    "pareto": ((0.5, 0.3, 0.6, 0.4), (1.0, 1.0, 1.0, 1.0), (0.2, 0.1, 1.5, 2.0)),
}
"""Where searches start; the numbers that are times are in mean ages."""

_UNIT_DAYS = 7.0
"""Models are fitted in weeks, as the papers do."""

_TIMES = {"alpha", "beta"}
Objective = Callable[[F64], float]


@dataclass(slots=True, frozen=True)
class Fitted:
    """A fitted model and how far it may be trusted.

    model: an OrderModel, or GammaGamma. errors: standard error by number, NaN where the data
    does not pin it down. converged: the search ended at an optimum inside its bounds.
    evaluations: of the whole likelihood. customers: how many it was learned from.
    """

    model: Any
    log_likelihood: float
    errors: dict[str, float]
    converged: bool
    message: str
    evaluations: int
    customers: int


def fit_orders(name: str, customers: Customers) -> Fitted:
    """Fit the model called `name` in ORDER_MODELS to the customers.

    Equal customers are computed once. Raises TooLittleData under 100 customers or 20 who came
    back, or when no time has passed; ScientistError for an unknown name or impossible customers.
    """
    if name not in ORDER_MODELS:
        raise ScientistError("no such model of orders; one of " + ", ".join(ORDER_MODELS))
    _check(customers)
    kind = ORDER_MODELS[name]
    rows, counts = np.unique(np.stack(customers, axis=1), axis=0, return_counts=True)
    distinct = Customers.of(*rows.T)
    unit = float(customers.age.mean())
    names = [one.name for one in fields(kind)]
    units = np.array([unit if one in _TIMES else 1.0 for one in names])

    def objective(logs: F64) -> float:
        return -float(counts @ kind(*np.exp(logs)).log_likelihood(distinct))

    starts = [np.log(np.array(start) * units) for start in _STARTS[name]]
    return _search(objective, starts, kind, len(customers.frequency))


def fit_spend(orders: npt.ArrayLike, spend: npt.ArrayLike) -> Fitted:
    """Fit Gamma-Gamma to the mean value an order (`spend`) over `orders` orders each.

    Those without an order or without a value above 0 are left out. Raises TooLittleData when
    under 20 are left, or when all of them spend the same.
    """
    count, value = np.asarray(orders, np.float64), np.asarray(spend, np.float64)
    known = np.isfinite(count) & np.isfinite(value) & (count > 0) & (value > 0)
    count, value = count[known], value[known]
    if len(count) < LEAST_REPEATERS:
        raise TooLittleData(
            f"Gamma-Gamma needs {LEAST_REPEATERS} customers with orders of some value; "
            f"there are {len(count)}"
        )
    if np.ptp(value) == 0:
        raise TooLittleData("Gamma-Gamma needs customers who differ; all spend the same an order")
    middle = float(np.median(value))
    starts = [
        np.log(np.array(start) * (1.0, 1.0, middle))
        for start in ((5.0, 4.0, 0.5), (1.0, 3.0, 2.0), (1.0, 1.5, 1.0))
    ]

    def objective(logs: F64) -> float:
        return -float(GammaGamma(*np.exp(logs)).log_likelihood(count, value).sum())

    return _search(objective, starts, GammaGamma, len(count))


def fit_prospects(
    days: Customers,
    horizon_days: float,
    lead_days: float = 0.0,
    spend: npt.ArrayLike | None = None,
    names: Sequence[str] = ("mbgnbd", "pareto"),
) -> tuple[Prospects, dict[str, Fitted]]:
    """Fit what `btyd_features` needs, in weeks; answer it with each fit by name ("spend" too).

    days: customers with times in days, as of a time no label's window reaches back over. spend:
    float64[n], mean value an order, or None for no model of it. Models whose search found no
    optimum are left out. Raises TooLittleData when none is left, else as fit_orders; without
    enough spenders there is no model of value.
    """
    weeks = days.scaled(_UNIT_DAYS)
    fits = {name: fit_orders(name, weeks) for name in names}
    orders = {name: fit.model for name, fit in fits.items() if fit.converged}
    if not orders:
        raise TooLittleData("no model of orders has an optimum on these customers")
    value = None
    if spend is not None:
        try:
            fits["spend"] = fit_spend(days.frequency + 1, spend)
        except TooLittleData:
            pass
        else:
            value = fits["spend"].model if fits["spend"].converged else None
    return Prospects(orders, horizon_days, lead_days, _UNIT_DAYS, value), fits


def _check(customers: Customers) -> None:
    faults = int(customers.faults().sum())
    if faults:
        raise ScientistError(
            f"{faults} customers cannot be: needed are finite numbers, frequency >= 0, "
            "0 <= recency <= age, and recency 0 without a repeat order"
        )
    count, repeaters = len(customers.frequency), int((customers.frequency > 0).sum())
    if count < LEAST_CUSTOMERS or repeaters < LEAST_REPEATERS:
        raise TooLittleData(
            f"a model of orders needs {LEAST_CUSTOMERS} customers, {LEAST_REPEATERS} of them with "
            f"a repeat order; there are {count} and {repeaters}"
        )
    if not customers.age.max() > 0:
        raise TooLittleData("a model of orders needs time to pass; all customers are of age 0")


def _search(objective: Objective, starts: Sequence[F64], kind: Any, customers: int) -> Fitted:
    """Minimise over logarithms; answer the model there with its standard errors."""
    bounds = [(at - _WIDEST, at + _WIDEST) for at in starts[0]]

    def bounded(logs: F64) -> float:
        # Only Nelder-Mead leaves the bounds, and a number that overflows is no optimum.
        value = objective(logs)
        return value if np.isfinite(value) else 1e300

    runs = [
        minimize(bounded, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 25})
        for start in starts
    ]
    best = min(runs, key=lambda run: run.fun)
    runs.append(minimize(bounded, best.x, method="L-BFGS-B", bounds=bounds))
    # Differences blur the gradient near the optimum; the simplex needs none.
    near = runs[-1].x + np.vstack([np.zeros(len(best.x)), 0.01 * np.eye(len(best.x))])
    options = {"xatol": 1e-6, "fatol": 1e-7, "initial_simplex": near, "maxiter": 2000}
    last = minimize(bounded, runs[-1].x, method="Nelder-Mead", bounds=bounds, options=options)
    runs.append(last)
    inside = bool(np.all(np.abs(last.x - starts[0]) < _WIDEST - 0.1))
    message = "converged" if inside else "a number ran off to the edge of the search"
    numbers = np.exp(last.x)
    names = [one.name for one in fields(kind)]
    errors = numbers * _errors_of_logs(bounded, last.x)
    return Fitted(
        kind(*numbers.tolist()),
        -float(last.fun),
        dict(zip(names, errors.tolist(), strict=True)),
        bool(last.success) and inside,
        message if last.success else str(last.message),
        sum(int(run.nfev) for run in runs),
        customers,
    )


def _errors_of_logs(objective: Objective, at: F64, step: float = 1e-3) -> F64:
    """Answer float64[m]: root of the diagonal of the inverse Hessian, by central differences.

    NaN throughout where the Hessian is not positive definite: the data does not pin the numbers
    down.
    """
    m = len(at)
    steps = step * np.eye(m)
    hessian = np.empty((m, m))
    for i in range(m):
        for j in range(i + 1):
            corners = (
                objective(at + up * steps[i] + right * steps[j]) * up * right
                for up in (-1, 1)
                for right in (-1, 1)
            )
            hessian[i, j] = hessian[j, i] = sum(corners) / (4 * step * step)
    if np.linalg.eigvalsh(hessian).min() <= 0:
        return np.full(m, np.nan)
    return np.sqrt(np.diag(np.linalg.inv(hessian)))
