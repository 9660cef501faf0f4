"""One answer of every sort before the first question, so that nobody waits for a compiler.

The kernels are kept on disk after the first time. Knows nothing of what is answered.
"""

import numpy as np

from domain.events import Kind
from models.recommend.ask import NOBODY, Ask, Origin, remembered
from models.recommend.controls import Controls, Task
from models.recommend.desk import Desk
from models.recommend.diversity import Likeness, diversify
from models.recommend.filters import Filter
from models.recommend.policy import recommend


def warm(desk: Desk) -> None:
    """Run every kernel that an answer from `desk` may need; changes nothing."""
    ids = desk.catalogue.ids
    hashes = np.array([1], np.uint64)
    if desk.model is not None and desk.catalogue.known:
        hashes = np.asarray(desk.model.hashes[:1], np.uint64)
    kinds, ats = np.array([Kind.click], np.uint8), np.zeros(1, np.int64)
    asker = remembered(Origin.user, hashes, kinds, ats, 1)
    for one in (NOBODY, asker):
        recommend(desk, Ask(k=2), one, 1)
        recommend(desk, Ask(k=2, explain=True, diversity=0.5), one, 1)
        recommend(desk, Ask(k=2, exclude_seen=False, chosen=Filter(low=0)), one, 1)
        recommend(desk, Ask(k=2, controls=Controls(calibrated=True, freshness=1)), one, 1)
    if desk.arrivals is not None and desk.catalogue.known:
        desk.arrivals.rehearse()
    if ids:
        recommend(desk, Ask(k=2, item=ids[0]), NOBODY, 1)
        for task in (Task.similar, Task.bought_together, Task.basket):
            recommend(desk, Ask(k=2, item=ids[0], controls=Controls(task=task)), asker, 1)
    codes = np.zeros((2, 8), np.int32)
    rows = np.arange(2, dtype=np.int32)
    graph = (np.zeros(3, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32))
    diversify(np.ones(2, np.float32), 2, 0.5, Likeness(codes, rows, graph))
