"""What is at stake with a customer: the value they bring in a year at the pace of their history.

Plain accounting, net of refunds, so that anybody can check it: it is what leaving would cost
within a year if they would else have gone on as they did. Knows nothing of probabilities.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
YEAR_DAYS = 365.0


def value_at_stake(rows: Mapping[str, npt.NDArray[Any]]) -> F64:
    """Answer float64[n], units of the house's currency, of n rows of the view `rfm`.

    Lifetime value over the years since the first event, but never over less than one year: what
    a newcomer brought is not taken for what they would bring every month. NaN without an event.
    """
    rfm = rows["rfm"]
    if len(rfm) == 1:
        # One customer in plain numbers: arrays of one would cost ten times as much.
        tenure, brought = float(rfm["tenure"][0]), float(rfm["lifetime_value"][0])
        years = max(tenure, YEAR_DAYS) / YEAR_DAYS
        return np.array([brought / years if tenure >= 0 else np.nan])
    tenure = rfm["tenure"].astype(np.float64)
    years = np.maximum(tenure, YEAR_DAYS) / YEAR_DAYS
    return np.where(tenure < 0, np.nan, rfm["lifetime_value"] / years)
