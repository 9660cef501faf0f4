"""The intent model: a network and a forest on the log-odds scale, calibrated, event by event.

    log-odds = a · network + b · forest        probability = calibration(log-odds)

Which of them answers, or both, the fit decides on validation; whoever asks does not notice.
Event k's answer is made of events up to k and of the past. Knows nothing of stores or requests.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from domain.clock import HOUR_MS
from domain.errors import BundleRefused
from models.bundle import Bundle
from models.calibration import Calibration, from_params, sigmoid
from models.forest.forest import Forest
from models.intent.categories import Categories
from models.intent.confidence import Confidence, fresh
from models.intent.encoding import Encoding
from models.intent.features import NAMES, rows
from models.intent.glance import Arrays, Glancer, Parts
from models.intent.network import Network
from models.intent.question import kinds_of, stands
from models.intent.renown import Renown
from models.intent.visit import Visit, session_visit, visit_of, with_past
from models.intent.vocabulary import Columns, plain

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


class Mix(NamedTuple):
    """How the parts are joined, on the log-odds scale; a part of weight 0 is not there."""

    network: float
    forest: float


class Trajectory(NamedTuple):
    """Of n events: probability float64[n] and confidence float64[n], each 0 to 1."""

    probability: F64
    confidence: F64


class Scored(NamedTuple):
    """After the last event: probability and confidence, each 0 to 1, and how many events were
    seen."""

    probability: float
    confidence: float
    events: int


@dataclass(frozen=True, eq=False)
class IntentModel:
    """A loaded model; pure, may run in threads.

    definition: target (purchase, add_to_cart or abandon), horizon_hours, gap_ms. rate: how often
    the answer was yes in training, what is said of a session without events.
    """

    definition: Mapping[str, Any]
    encoding: Encoding
    renown: Renown
    categories: Categories
    network: Network | None
    forest: Forest | None
    mix: Mix
    calibration: Calibration
    trust: Confidence
    rate: float

    @cached_property
    def glancer(self) -> Glancer | None:
        """Answer the short way from a history to a score; None for a model without one.

        Raises ValueError when the parts do not fit each other.
        """
        parts = Parts(
            self.encoding, self.renown, self.categories, self.network, self.forest, self.mix,
            self.trust,
        )  # fmt: skip
        return Glancer.of(parts, self.gap_ms, kinds_of(self.target))

    @property
    def champion(self) -> str:
        """Answer who answers: network, forest or blend."""
        if self.network is not None and self.forest is not None:
            return "blend"
        return "forest" if self.network is None else "network"

    @property
    def target(self) -> str:
        """Answer what is asked: purchase, add_to_cart or abandon."""
        return str(self.definition["target"])

    @property
    def horizon_hours(self) -> float:
        """Answer the hours asked about beyond the session; 0 is the session alone."""
        return float(self.definition["horizon_hours"])

    @property
    def gap_ms(self) -> int:
        """Answer the pause that ends a session."""
        return int(self.definition["gap_ms"])

    def columns(
        self,
        kinds: npt.ArrayLike,
        items: npt.ArrayLike,
        ats: npt.ArrayLike,
        values: npt.ArrayLike,
        categories: npt.ArrayLike | None = None,
    ) -> Columns:
        """Answer events, oldest first, as this model reads them; see Columns for the arrays.

        categories: codes (see categories.category_code); None for those of the fit.
        """
        hashes = np.asarray(items, np.uint64)
        codes = self.categories.of(hashes) if categories is None else np.asarray(categories)
        rest = np.asarray(kinds), np.asarray(values), np.asarray(ats)
        return plain(Columns(rest[0], hashes, codes, rest[1], rest[2]))

    def visit(self, columns: Columns, as_of: int) -> Visit:
        """Answer the last session of a user's events (oldest first) before as_of (ms UTC)."""
        return visit_of(columns, as_of, self.gap_ms, self.renown)

    def answers(
        self, columns: Columns, offsets: I64, prior: F64 | None = None, echoes: F64 | None = None
    ) -> Trajectory:
        """Answer after every event of s sessions of at most SESSION events each.

        columns[offsets[s] : offsets[s + 1]] is a session, oldest first; prior float64[s, PRIOR]
        and echoes float64[n, ECHOES], None without a past. Confidence is as of each event.
        """
        own = plain(columns)
        past = with_past(own, offsets, prior, echoes)
        return self._answers(own, np.array(offsets, np.int64), *past, last=False)

    def _answers(
        self, columns: Columns, offsets: I64, prior: F64, echoes: F64, *, last: bool
    ) -> Trajectory:
        encoded = self.encoding.encode(columns, offsets, echoes, prior)
        chosen = slice(len(columns.ats) - 1, None) if last else slice(None)
        odds = np.zeros(1 if last else len(columns.ats))
        width = np.zeros(len(odds))
        if self.network is not None:
            heads = self.network.last(encoded) if last else self.network.every(encoded, offsets)
            odds += self.mix.network * heads.mean(axis=1, dtype=np.float64)
            width = heads.std(axis=1, dtype=np.float64)
        if self.forest is not None:
            features = rows(offsets, columns, prior, echoes)
            odds += self.mix.forest * self.forest.raw(features[chosen])
        place = np.arange(len(columns.ats)) - np.repeat(offsets[:-1], np.diff(offsets)) + 1
        trust = self.trust.before(encoded.known, offsets)
        trust *= stands(columns.kinds, offsets, self.target)
        confidence = trust[chosen] * self.trust.steady(width, place[chosen])
        return Trajectory(self.calibration.apply(sigmoid(odds)), confidence)

    def trajectory_of(self, visit: Visit, as_of: int) -> Trajectory:
        """Answer after every event of a visit, the last one as of as_of (ms UTC).

        Beyond SESSION events the answer stays what it was and is worth the less.
        """
        n = len(visit.columns.ats)
        if not n:
            return Trajectory(np.empty(0), np.empty(0))
        found = self._of(visit, last=False)
        place = np.arange(1, visit.events + 1)
        seen = np.minimum(place, n)
        confidence = found.confidence[seen - 1] * (seen / place)
        confidence[-1] *= self._fresh(visit.last_at, as_of)
        return Trajectory(found.probability[seen - 1], confidence)

    def score_of(self, visit: Visit, as_of: int) -> Scored:
        """Answer the last of `trajectory_of`, sooner; the rate and 0 without an event."""
        n = len(visit.columns.ats)
        if not n:
            return Scored(self.rate, 0.0, 0)
        found = self._of(visit, last=True)
        confidence = (
            float(found.confidence[-1]) * (n / visit.events) * self._fresh(visit.last_at, as_of)
        )
        return Scored(float(found.probability[-1]), confidence, visit.events)

    def score_history(self, history: Arrays, as_of: int) -> tuple[Scored, int]:
        """Answer what `score_of` does of `visit`, sooner, and when the last event was (ms UTC).

        history: kinds, items, values (micros), currencies (0 is the house's; others count as no
        value) and ats (ms UTC) of all events, oldest first; see Glancer.look for their types.
        """
        glancer = self.glancer
        if glancer is None:
            kinds, items, values, currencies, ats = history
            own = self.columns(kinds, items, ats, np.where(currencies == 0, values, 0))
            visit = self.visit(own, as_of)
            return self.score_of(visit, as_of), visit.last_at
        seen = glancer.look(history, as_of)
        if not seen.scored:
            return Scored(self.rate, 0.0, 0), 0
        confidence = seen.confidence * (seen.scored / seen.events)
        confidence *= self._fresh(seen.last_at, as_of)
        return Scored(self.calibration.at(seen.log_odds), confidence, seen.events), seen.last_at

    def _of(self, visit: Visit, *, last: bool) -> Trajectory:
        bounds = np.array([0, len(visit.columns.ats)])
        return self._answers(visit.columns, bounds, visit.prior[None], visit.echoes, last=last)

    def _fresh(self, last_at: int, as_of: int) -> float:
        asked_ms = self.gap_ms + self.horizon_hours * HOUR_MS
        return fresh(as_of - last_at, asked_ms)

    def trajectory(
        self,
        kinds: npt.ArrayLike,
        items: npt.ArrayLike,
        ats: npt.ArrayLike,
        values: npt.ArrayLike,
        categories: npt.ArrayLike | None = None,
        **past: Any,
    ) -> Trajectory:
        """Answer after every event of one session, oldest first; see Columns for the arrays.

        past: prior float64[PRIOR], echoes float64[n, ECHOES] and as_of (ms UTC; what is at or
        after it is not looked at), each as in `session_visit`.
        """
        own = self.columns(kinds, items, ats, values, categories)
        visit, as_of = session_visit(own, self.renown, **past)
        return self.trajectory_of(visit, as_of)

    def score(
        self,
        kinds: npt.ArrayLike,
        items: npt.ArrayLike,
        ats: npt.ArrayLike,
        values: npt.ArrayLike,
        categories: npt.ArrayLike | None = None,
        **past: Any,
    ) -> Scored:
        """Answer after the last event of one session: the last of `trajectory`, sooner."""
        own = self.columns(kinds, items, ats, values, categories)
        visit, as_of = session_visit(own, self.renown, **past)
        return self.score_of(visit, as_of)

    def answer(self, row: Any) -> Any:
        """Answer one golden row: a user's events → everything that is served of their visit."""
        items = np.array([int(item) for item in row["items"]], np.uint64)
        rest = (row["ats"], row["values"], row["categories"])
        own = self.columns(row["kinds"], items, *(np.array(one, np.int64) for one in rest))
        visit = self.visit(own, int(row["as_of"]))
        probability, confidence = self.trajectory_of(visit, int(row["as_of"]))
        return {
            "probability": probability.tolist(),
            "confidence": confidence.tolist(),
            "last": list(self.score_of(visit, int(row["as_of"]))),
        }

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Answer every array by name, for a bundle."""
        out = {f"encoding-{name}": one for name, one in self.encoding.arrays().items()}
        out |= {f"categories-{name}": one for name, one in self.categories.arrays().items()}
        out |= {f"renown-{name}": one for name, one in self.renown.arrays().items()}
        if self.forest is not None:
            out |= {f"forest-{name}": one for name, one in self.forest.arrays().items()}
        if self.network is not None:
            out["network-onnx"] = np.frombuffer(self.network.onnx, np.uint8)
        return out

    def params(self) -> dict[str, Any]:
        """Answer everything else as JSON values."""
        return {
            "definition": dict(self.definition),
            "champion": self.champion,
            "mix": self.mix._asdict(),
            "calibration": self.calibration.params(),
            "confidence": self.trust.params(),
            "rate": self.rate,
            "features": list(NAMES) if self.forest is not None else [],
        }

    @classmethod
    def from_bundle(cls, bundle: Bundle) -> Self:
        """Load a bundle; raises BundleRefused when it does not hold such a model."""
        try:
            return cls.from_parts(bundle.arrays, bundle.params)
        except (KeyError, ValueError, TypeError) as error:
            raise BundleRefused(
                f"bundle {bundle.family}/{bundle.version} is no intent model this release can "
                f"read ({type(error).__name__}: {error}); fit again"
            ) from error

    @classmethod
    def from_parts(cls, arrays: Mapping[str, npt.NDArray[Any]], params: Mapping[str, Any]) -> Self:
        """Make it of what `arrays` and `params` answered; raises KeyError and ValueError."""

        def part(name: str) -> dict[str, npt.NDArray[Any]]:
            start = name + "-"
            return {key[len(start) :]: a for key, a in arrays.items() if key.startswith(start)}

        network, forest = part("network"), part("forest")
        if forest and params["features"] != list(NAMES):
            raise ValueError("its features are not those of this release")
        return cls(
            definition=dict(params["definition"]),
            encoding=Encoding.from_arrays(part("encoding")),
            renown=Renown.from_arrays(part("renown")),
            categories=Categories.from_arrays(part("categories")),
            network=Network(network["onnx"].tobytes()) if network else None,
            forest=Forest.from_arrays(forest) if forest else None,
            mix=Mix(**params["mix"]),
            calibration=from_params(params["calibration"]),
            trust=Confidence.from_params(params["confidence"]),
            rate=float(params["rate"]),
        )
