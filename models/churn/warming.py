"""A churn model that learned nothing and uses everything: what kernels are compiled with.

Once answers from it have gone out, no answer of any released model waits for a compiler. Knows
nothing of bundles or requests.
"""

import numpy as np

from models.btyd.bgnbd import BGNBD
from models.btyd.features import Prospects
from models.btyd.gammagamma import GammaGamma
from models.btyd.mbgnbd import MBGNBD
from models.btyd.pareto import ParetoNBD
from models.calibration import Platt
from models.churn.attributes import Attributes
from models.churn.features import names_of
from models.churn.hazard import Hazard
from models.churn.linear import Linear
from models.churn.model import ChurnModel
from models.churn.repute import FIGURES, Repute
from models.forest.stump import stump

HORIZON_DAYS = 60.0


def sample() -> ChurnModel:
    """Answer the model; its figures mean nothing."""
    orders = {
        "bgnbd": BGNBD(0.5, 4.0, 0.8, 2.5),
        "mbgnbd": MBGNBD(0.5, 4.0, 0.8, 2.5),
        "pareto": ParetoNBD(0.5, 10.0, 0.6, 12.0),
    }
    prospects = Prospects(orders, HORIZON_DAYS, 1.0, spend=GammaGamma(6.0, 4.0, 15.0))
    repute = Repute(np.array([1], np.uint64), np.zeros((1, len(FIGURES))))
    attributes = Attributes(("age",), {"plan": ("gold",)})
    f = len(names_of(prospects, attributes.names(), repute=True))
    zeros = np.zeros(f)
    return ChurnModel(
        forest=stump(f),
        linear=Linear(zeros, np.ones(f), np.zeros(2 * f), np.zeros(2 * f), 0.0),
        blend=0.5,
        calibration=Platt(1.0, 0.0),
        definition={
            "definition": "inactivity",
            "kinds": ["purchase"],
            "history_days": 365.0,
            "lead_days": 1.0,
            "horizon_days": HORIZON_DAYS,
            "active_days": 365.0,
        },
        low=zeros - 1e12,
        high=zeros + 1e12,
        reference=zeros,
        attributes=attributes,
        prospects=prospects,
        hazard=Hazard(stump(f + 1, f), 2, HORIZON_DAYS / 2),
        repute=repute,
    )
