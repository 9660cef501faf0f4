"""Items nobody has had: a tenth of a log's items is held out whole and asked for.

No event of a held-out item reaches a fit; only its catalogue entry does, and only when it is put
beside the model, as a shop puts a new product. A case is a user: the events before the first
with a held-out item are the history, the held-out items from there on are the targets. What was
chosen was chosen on another tenth of the items.

cold_recall_at_20: content alone, all items ranked; among_cold_recall_at_20: only the held-out
ranked. live_recall_at_20: the blend's answers with arrivals among them; what those cost is
warm_ndcg_at_10 beside warm_without_ndcg_at_10, on the last events with items that were known.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from benchmarks.harness import Arguments
from benchmarks.recommend_data import LOGS, facts, interactions
from domain.errors import TooLittleData
from models.recommend.arrivals import CONTENT, Arrivals
from models.recommend.catalogue import Catalogue as Shelf
from models.recommend.content import Content
from models.recommend.model import RecommendModel
from models.recommend.topk import top_k
from training.evaluate.ranking import rank
from training.fit.facts import ItemFacts
from training.fit.members import MEMBER_FITS
from training.fit.recommend import Catalogue, Fit
from training.fit.settings import RecommendSettings
from training.metrics import per_case
from training.splits import Interactions, leave_one_out

SHARE = 0.1
SEED = 20
K = 20
MEMBERS = ("popularity", "graph", "factors", CONTENT)
"""A quick blend: what arrivals cost is measured beside it, not how good it is."""
MOST = 3_000
"""Cases at most, drawn at random."""
BARS = {"amazon-beauty": 5.0, "ml-100k": 5.0}
"""How many times random content must find."""


class Held(NamedTuple):
    """A log parted by items: what is known, by the numbers of the known items, and who is new.

    known, fresh: int32, numbers in the whole log. renumbered: int32[n], the number each item has
    beside the model: known ones first, then the new, -1 for those left out altogether.
    """

    log: Interactions
    known: npt.NDArray[np.int64]
    fresh: npt.NDArray[np.int64]
    renumbered: npt.NDArray[np.int32]


class Question(NamedTuple):
    """A history as int32 numbers beside the model, and the new items that came after it."""

    history: npt.NDArray[np.int32]
    targets: npt.NDArray[np.int32]


def held_out(full: Interactions, tenth: int = 0) -> Held:
    """Part the items; `tenth` 0 is measured, 1 chosen on: then those of 0 are left out."""
    order = np.random.default_rng(SEED).permutation(full.n_items)
    count = round(full.n_items * SHARE)
    fresh = np.sort(order[tenth * count : (tenth + 1) * count])
    known = np.sort(order[(tenth + 1) * count :])
    renumbered = np.full(full.n_items, -1, np.int32)
    renumbered[known] = np.arange(len(known))
    renumbered[fresh] = len(known) + np.arange(len(fresh))
    kept = (renumbered[full.items] >= 0) & (renumbered[full.items] < len(known))
    ends = np.concatenate([[0], np.cumsum(kept)])[full.offsets]
    log = Interactions(
        len(known), ends, renumbered[full.items[kept]],
        full.kinds[kept], full.ats[kept], full.ordinals[kept], full.weights[kept],
    )  # fmt: skip
    return Held(log, known, fresh, renumbered)


def questions(full: Interactions, held: Held) -> list[Question]:
    """Answer a question for each user who had known items before a new one."""
    found: list[Question] = []
    for start, end in pairwise(full.offsets.tolist()):
        items = held.renumbered[full.items[start:end]]
        new = np.flatnonzero(items >= len(held.known))
        if not len(new):
            continue
        before = items[: new[0]]
        before = before[before >= 0]
        if len(before):
            found.append(Question(before, np.unique(items[new])))
    return found


def recall(top: npt.NDArray[np.int32], targets: npt.NDArray[np.int32]) -> float:
    """Answer which share of the targets is among the best."""
    return float(np.isin(targets, top).mean())


@dataclass
class Shop:
    """A model of the known items, and the new ones put beside it."""

    model: RecommendModel
    content: Content
    arrivals: Arrivals
    weight: float

    def alone(self, history: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Answer content's scores of all items, what was had before at -inf."""
        taste = self.taste(history)
        scores = self.arrivals.vectors @ taste.vector
        scores[history] = -np.inf
        return scores

    def live(self, history: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
        """Answer what a live answer is made from."""
        kinds = np.zeros(len(history), np.uint8)
        kinds[:] = int(np.flatnonzero(self.model.kind_weights)[0])
        ats = np.arange(len(history), dtype=np.int64)
        total = self.model.score(history, kinds, ats, len(history)).total
        allowed = np.ones(self.beyond[1], np.bool_)
        allowed[history] = False
        stand = self.arrivals.stand(total, self.taste(history), allowed)
        scores = total if stand is None else stand.scores
        scores[history] = -np.inf
        return scores

    def taste(self, history: npt.NDArray[np.int32]):
        """Hear a history, every event of equal weight."""
        ones = np.ones(1, np.float32)
        return self.arrivals.taste(history, np.zeros(len(history), np.uint8), ones)

    @property
    def beyond(self) -> tuple[int, int]:
        """Where the new items' numbers begin and end."""
        return self.arrivals.catalogue.known, self.arrivals.catalogue.size


def open_shop(
    run: Fit, log: Interactions, known: ItemFacts, fresh: ItemFacts, trust: float | None
) -> Shop:
    """Learn from the known items' log, then put the new items beside."""
    split = leave_one_out(log, 1, run.settings.cap, repeats=False)
    valid = leave_one_out(log, 2, run.settings.cap, repeats=False)
    tuned = run.tune(valid)
    if trust is not None:
        tuned.params[CONTENT]["trust"] = trust
    model = run.learn(split.known, split.as_of, tuned)
    shelf = Shelf(model.items, model.hashes)
    content = model.scorers[model.members.index(CONTENT)]
    assert isinstance(content, Content)
    arrivals = Arrivals(shelf, content)
    for item in fresh.items:
        if item is not None:
            shelf.put(item)
    arrivals.catch_up()
    return Shop(model, content, arrivals, tuned.weights[CONTENT])


def measure_cold(
    dataset: str, arguments: Arguments, tenth: int = 0, trust: float | None = None
) -> tuple[dict[str, float], list[str]]:
    """Answer (figures, remarks) of one log.

    Raises TooLittleData when the log is not there, or says nothing of an item.
    """
    catalogue, full = interactions(LOGS[dataset](arguments))
    about = facts(dataset, arguments, catalogue.items)
    held = held_out(full, tenth)
    ids = [catalogue.items[i] for i in held.known]
    known = ItemFacts(tuple(about.items[i] for i in held.known))
    fresh = ItemFacts(tuple(about.items[i] for i in held.fresh))
    if fresh.known < len(fresh):
        raise TooLittleData("the log's own tables describe only some of its items")
    settings = RecommendSettings(
        split="leave-one-out", repeats=False, min_item_events=1, members=MEMBERS
    )
    settings.fixed.update({name: MEMBER_FITS[name].start for name in MEMBERS})
    own = Catalogue(tuple(ids), catalogue.hashes[held.known], catalogue.kind_weights)
    with tqdm(desc=f"{dataset} cold", unit="step", disable=None) as bar:
        run = Fit(own, held.log, settings, bar, known)
        shop = open_shop(run, held.log, known, fresh, trust)
    asked = questions(full, held)
    rng = np.random.default_rng(SEED)
    if len(asked) > MOST:
        asked = [asked[i] for i in np.sort(rng.choice(len(asked), MOST, replace=False))]
    figures = _figures(shop, asked, held)
    figures |= _cost(run, shop, held.log, rng)
    figures |= {"items": full.n_items, "cold_items": len(held.fresh), "cases": len(asked)}
    note = f"{dataset}: content weighs {shop.weight:.2f} in the blend, trust {shop.content.trust}"
    return figures, [note]


def _figures(shop: Shop, asked: list[Question], held: Held) -> dict[str, float]:
    n, new = len(held.renumbered), len(held.fresh)
    first, size = shop.beyond
    counts = np.bincount(held.log.items, minlength=size).astype(np.float32)
    names = ("cold", "among_cold", "popularity", "live")
    found: dict[str, list[float]] = {name: [] for name in names}
    slates = 0.0
    for history, targets in asked:
        alone = shop.alone(history)
        found["cold"].append(recall(top_k(alone, K), targets))
        found["among_cold"].append(recall(top_k(alone[first:], K) + first, targets))
        popular = counts.copy()
        popular[history] = -1
        found["popularity"].append(recall(top_k(popular, K), targets))
        best = top_k(shop.live(history), K)
        found["live"].append(recall(best, targets))
        slates += float((best >= first).mean()) / len(asked)
    figures: dict[str, float] = {}
    for name, values in found.items():
        figures[f"{name}_recall_at_20"] = float(np.mean(values))
    rng = np.random.default_rng(SEED)
    means = [np.mean(rng.choice(found["cold"], len(asked))) for _ in range(1_000)]
    figures["cold_recall_at_20_low"], figures["cold_recall_at_20_high"] = map(
        float, np.percentile(means, [2.5, 97.5])
    )
    figures |= {"random_recall_at_20": K / min(n, size), "among_cold_random_recall_at_20": K / new}
    figures["over_random"] = figures["cold_recall_at_20"] / figures["random_recall_at_20"]
    figures["new_share_of_slates"] = slates
    return figures


def _cost(run: Fit, shop: Shop, log: Interactions, rng: np.random.Generator) -> dict[str, float]:
    """Answer NDCG at 10 of the known items' last events, with arrivals in the way and without."""
    cases = leave_one_out(log, 1, run.settings.cap, repeats=False).cases.sample(MOST, rng)
    plain = rank(shop.model, shop.model.weights[None], log, cases, 10)[0]
    beside = np.stack(
        [
            top_k(shop.live(log.items[start:end]), 10)
            for start, end in zip(cases.starts, cases.ends, strict=True)
        ]
    )
    names = {"warm_without_ndcg_at_10": plain, "warm_ndcg_at_10": beside}
    return {
        name: float(
            per_case(lists, cases.targets, cases.target_offsets, (10,))["ndcg_at_10"].mean()
        )
        for name, lists in names.items()
    }
