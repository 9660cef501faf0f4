"""The families of models: one visible line each, from an opened bundle to a scorer.

A scorer answers golden rows through `answer`; what else it can do is between its family and
whoever decides with it. Knows nothing of where bundles lie or which one is current.
"""

from collections.abc import Callable
from typing import Any, Protocol

from domain.errors import BundleRefused
from models.bundle import Bundle, check_golden


class Scorer(Protocol):
    """What every family's loaded model can do."""

    def answer(self, row: Any) -> Any:
        """Answer one golden input with JSON values."""
        ...


def _recommend(bundle: Bundle) -> Scorer:
    # Loaded on demand: its kernels take a second to import and not every process needs them.
    from models.recommend.model import RecommendModel

    return RecommendModel.from_bundle(bundle)


def _churn(bundle: Bundle) -> Scorer:
    from models.churn.model import ChurnModel

    return ChurnModel.from_bundle(bundle)


def _uplift(bundle: Bundle) -> Scorer:
    from models.uplift.model import UpliftModel

    return UpliftModel.from_bundle(bundle)


def _intent(bundle: Bundle) -> Scorer:
    from models.intent.model import IntentModel
    from models.intent.warming import warm

    model = IntentModel.from_bundle(bundle)
    # Here, where nobody waits: golden rows do not run what a remembered visit is scored with.
    warm(model)
    return model


def _bidding(bundle: Bundle) -> Scorer:
    from models.bidding.model import BiddingModel

    return BiddingModel.from_bundle(bundle)


SCORERS: dict[str, Callable[[Bundle], Scorer]] = {
    "recommend": _recommend,
    "churn": _churn,
    "uplift": _uplift,
    "intent": _intent,
    "bidding": _bidding,
}
"""Family → how its scorer is made from a bundle. A new family adds its line here."""


def load_scorer(bundle: Bundle, *, golden: bool = True) -> Any:
    """Make the scorer of a bundle's family; `golden` checks that it gives its golden rows again.

    Raises BundleRefused when the family is unknown, the parts do not fit, or a row differs.
    """
    load = SCORERS.get(bundle.family)
    if load is None:
        raise BundleRefused(f"no family called {bundle.family}; one of " + ", ".join(SCORERS))
    try:
        scorer = load(bundle)
    except (LookupError, TypeError, ValueError) as error:
        raise BundleRefused(
            f"bundle {bundle.family}/{bundle.version} does not hold what its family needs "
            f"({type(error).__name__}); fit again with this release of the software"
        ) from error
    if golden:
        check_golden(bundle, scorer.answer)
    return scorer
