"""The desk: all that answers are made from, kept together so that it is swapped together.

A model (or none), the catalogue numbered after it, what is trending, filters worked out
already. Knows nothing of questions or of where its parts come from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.recommend.arrivals import CONTENT, Arrivals
from models.recommend.catalogue import Catalogue, Scores
from models.recommend.content import Content
from models.recommend.diversity import Graph
from models.recommend.filters import Masks
from models.recommend.item_graph import ItemGraph
from models.recommend.model import RecommendModel
from models.recommend.objective import Worths
from models.recommend.segments import BySegment, Part
from models.recommend.together import Together

Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Desk:
    """What answers are made from. The catalogue's first indices are the model's items.

    name: the model's, "" for none. trending: float32[m] over the first m indices, 0 where
    not trending; None when unknown. popular: how much everyone wants each of the model's
    items, float32[n]. kind_weights: float32[256], what an event of each kind says to the
    model; it does not listen to those of 0. worths: what items are worth beyond a click.
    segments: what is wanted in each segment; None where nobody counted.
    beside: what is said of items that go together, by what people do here.
    arrivals: the catalogue's items beyond the model's; None where it learned nothing of content.
    """

    catalogue: Catalogue
    model: RecommendModel | None = None
    name: str = ""
    trending: Scores | None = None
    masks: Masks = field(init=False)
    popular: Scores | None = field(init=False)
    kind_weights: Scores = field(init=False)
    worths: Worths = field(init=False)
    arrivals: Arrivals | None = field(init=False, default=None)
    segments: BySegment | None = field(init=False, default=None)
    beside: str = field(init=False, default="Bought together with")
    _together: Together | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.masks = Masks(self.catalogue)
        self.worths = Worths(self.catalogue)
        self.popular = None
        self.kind_weights = np.zeros(256, np.float32)
        if self.model is not None:
            self.popular = popularity(self.model)
            self.kind_weights[: self.model.kind_weights.size] = self.model.kind_weights
            content = dict(zip(self.model.members, self.model.scorers, strict=True)).get(CONTENT)
            if isinstance(content, Content) and content.speaks:
                self.arrivals = Arrivals(self.catalogue, content)

    @property
    def graph(self) -> Graph | None:
        """The model's item graph: offsets, targets and weights; None when it has none."""
        if self.model is None or "graph" not in self.model.members:
            return None
        member = self.model.scorers[self.model.members.index("graph")]
        return member.edges if isinstance(member, ItemGraph) else None

    @property
    def laid_out(self) -> bool:
        """Whether `together` can be had at once."""
        return self._together is not None or self.graph is None

    @property
    def together(self) -> Together | None:
        """The item graph in both directions, laid out when first asked for; None without one."""
        graph = self.graph
        if self._together is None and graph is not None:
            self._together = Together(graph)
        return self._together

    def show_trends(
        self,
        items: Sequence[str],
        trending: Floats,
        popular: Floats,
        deeds: Floats | None = None,
        people: Floats | None = None,
        parts: Mapping[str, Part] | None = None,
    ) -> None:
        """Take what is wanted now and over all time, each parallel to the ids `items`.

        deeds: float64[2, m], how often each was clicked and bought; None where nobody counted.
        people: float64[m], how many want each; parts: what segments want, by name.
        Where nobody keeps a catalogue, items met here for the first time become recommendable,
        as known from the log; elsewhere what is not listed is wanted by nobody: whoever sends
        events may invent names. Without a model, what was wanted over all time is what is popular.
        """
        if not self.catalogue.lists_any:
            self.catalogue.note(items)
        rows = np.array([self.catalogue.index(item) for item in items], np.int32)
        known = rows >= 0
        if self.catalogue.lists_any:
            known[known] = self.catalogue.listed[rows[known]]
        self.trending = np.zeros(self.catalogue.size, np.float32)
        self.trending[rows[known]] = trending[known]
        self.segments = None
        if people is not None and parts:
            crowd = np.zeros(self.catalogue.size)
            crowd[rows[known]] = people[known]
            self.segments = BySegment(self.catalogue, self.trending, crowd, parts)
        if self.model is None:
            self.popular = np.zeros(self.catalogue.size, np.float32)
            self.popular[rows[known]] = popular[known]
        counts = np.zeros((2, self.catalogue.size))
        if deeds is not None:
            counts[:, rows[known]] = deeds[:, known]
            # Where nothing is bought, nothing is bought together.
            clicked, bought = deeds.sum(axis=1) > 0
            did = "Bought" if bought else "Viewed" if clicked else "Chosen"
            self.beside = f"{did} together with"
        self.worths.show(counts[0], counts[1])


def popularity(model: RecommendModel) -> Scores:
    """Answer how much everyone wants each of the model's items, float32[n], higher is more."""
    rows = np.zeros(0, np.int32)
    kinds: npt.NDArray[np.uint8] = np.zeros(0, np.uint8)
    ats: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    if "popularity" not in model.members:
        return model.score(rows, kinds, ats, 0).total
    scores = np.empty(len(model.items), np.float32)
    member = model.scorers[model.members.index("popularity")]
    member.score(model.past(rows, kinds, ats, 0), scores)
    return scores
