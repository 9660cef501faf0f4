"""Beginning from a released bundle: what its fit had found, read from its manifest.

Knows nothing of what is done with it; see training.fit.numbers.
"""

from collections.abc import Mapping
from typing import Any

from training.fit.members import MEMBER_FITS


def last_of(version: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Answer what a fit can begin from, given a manifest's version and settings; {} for nothing.

    version; params: the tuned numbers by member; alone: NDCG at 10 that each had on validation.
    Members and numbers that there are no more are left out.
    """
    tuned = settings.get("tuned", {})
    alone = tuned.get("alone", {})
    params: dict[str, dict[str, Any]] = {}
    for name, how in MEMBER_FITS.items():
        # How long a member may learn is no number of its own: it is that fit's budget.
        kept = [key for key in how.start if key != "seconds" and f"{name}.{key}" in tuned]
        own = {key: tuned[f"{name}.{key}"] for key in kept}
        if own and name in alone:
            params[name] = own
    if not params:
        return {}
    return {"version": version, "params": params, "alone": {name: alone[name] for name in params}}
