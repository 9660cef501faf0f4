"""The effect of contact on everyone in the log as of a time, and what to do, as a Parquet file.

Columns: user, effect, low, high, action, as_of, model. Sleeping dogs, those whom contact would
lose, have the action leave_alone. Knows nothing of what an outcome is worth beyond the model's
own terms: the sweep knows each customer's value.
"""

import sys
from pathlib import Path

import polars as pl

from domain.errors import ScientistError
from models.uplift.action import ACTIONS
from models.uplift.model import UpliftModel
from training.score_log import Crowd, score_everyone


def scored(crowd: Crowd, model: UpliftModel) -> pl.DataFrame:
    """Answer one row a user, in the crowd's order.

    Raises ScientistError when all that the model asks is a table's.
    """
    if not model.events and not any(crowd.people):
        raise ScientistError(
            "this model asks for attributes of profiles and nobody in the log has any: import "
            "users (`training import --users`), or fit from the log"
        )
    found = model.effects(model.matrix(crowd.rows, crowd.people))
    actions = [ACTIONS[place].value for place in model.actions(found)]
    return pl.DataFrame({"user": crowd.users, **found._asdict(), "action": actions})


def score(out: Path, as_of: str | None, version: str | None) -> int:
    """Score the log of the deployment; answer how many rows were written. See score_everyone."""
    frame = score_everyone("uplift", scored, out, as_of, version)
    counts = dict(frame.group_by("action").len().iter_rows())
    told = ", ".join(f"{action.value} {counts.get(action.value, 0):,}" for action in ACTIONS)
    print(f"{told} (sleeping dogs are left alone)", file=sys.stderr)
    return frame.height
