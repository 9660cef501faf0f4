"""Learning an intent scorer from a table of sessions: tune on its latest part, then learn again.

    tune    network and forest on the earlier sessions; on the later ones: how many epochs, who
            answers, how the parts are joined, calibration, what confidence rests on
    learn   the parts again, from every example, by what tuning found

Knows nothing of the rows that test it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from domain.errors import TooLittleData
from models.calibration import Calibration, sigmoid
from models.forest.forest import Forest
from models.intent.categories import Categories
from models.intent.confidence import PLACES, Confidence, place_row
from models.intent.encoding import Encoding, learn_encoding
from models.intent.model import IntentModel, Mix, Trajectory
from models.intent.network import Network
from models.intent.renown import Renown
from models.intent.vocabulary import Columns
from training.fit.calibration import choose_calibration
from training.fit.intent.aggregates import Trees, fit_trees
from training.fit.intent.export import export
from training.fit.intent.mixing import PARTS, choose_mix
from training.fit.intent.net import Learner
from training.fit.intent.network import Examples, fit_network, learn_again, log_odds
from training.fit.intent.sessions import Labels, Sessions
from training.fit.intent.settings import IntentSettings
from training.fit.intent.trust import learn_confidence

F64 = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Tick = Callable[[], object]
LEAST = 100
LEAST_HELD = 30
"""Sessions of either answer, to learn from; to tune on and to test on."""
_CHUNK = 200_000


@dataclass(frozen=True)
class Recipe:
    """What tuning found. rates: of the network's epochs. spread: float64[PLACES], how far the
    heads lay apart on what they had learned. found: JSON values of the way there."""

    champion: str
    mix: Mix
    calibration: Calibration
    trust: Confidence
    rates: tuple[float, ...]
    spread: F64 | None = None
    found: dict[str, Any] = field(default_factory=dict)


class Parts(NamedTuple):
    """What was learned; a part that was not asked for is None. spread: see Recipe."""

    encoding: Encoding
    network: Network | None
    forest: Forest | None
    spread: F64 | None = None


class Examined(NamedTuple):
    """The sessions that hold examples, which events are, and every event's answer."""

    sessions: Sessions
    rows: Flags
    y: npt.NDArray[np.uint8]


def check_examples(
    sessions: Sessions, labels: Labels, rows: Flags, what: str, least: int = LEAST
) -> None:
    """Ask for `least` sessions of either answer. Raises TooLittleData."""
    asked = np.unique(sessions.session[rows])
    yes = len(np.unique(sessions.session[rows & (labels.y > 0)]))
    no = len(np.unique(sessions.session[rows & (labels.y == 0)]))
    if min(yes, no) >= least:
        return
    if len(asked) and not (yes and no):
        only = "reaches the goal" if yes else "ends without it"
        raise TooLittleData(
            f"{what}: every one of {len(asked)} sessions {only}; two kinds of sessions are "
            "needed to tell them apart"
        )
    raise TooLittleData(
        f"{what}: {yes} sessions reach the goal and {no} do not; {least} of either are "
        f"needed ({max(0, least - yes)} and {max(0, least - no)} more)"
    )


def examined(sessions: Sessions, labels: Labels, rows: Flags) -> Examined:
    """Keep the sessions that hold examples."""
    kept = np.zeros(len(sessions), np.bool_)
    kept[sessions.session[rows]] = True
    events = kept[sessions.session]
    return Examined(sessions.take(kept), rows[events], labels.y[events])


def columns_of(sessions: Sessions) -> Columns:
    """Answer the events of all sessions as the model reads them."""
    s = sessions
    return Columns(s.kinds, s.items, s.categories, s.values, s.ats)


def _encoding(part: Examined) -> Encoding:
    s = part.sessions
    return learn_encoding(columns_of(s), s.offsets, s.echoes, s.prior)


def _examples(encoding: Encoding, part: Examined) -> Examples:
    s = part.sessions
    encoded = encoding.encode(columns_of(s), s.offsets, s.echoes, s.prior)
    return Examples(encoded, s.offsets, part.rows, part.y)


def _spread(learner: Learner, examples: Examples) -> F64:
    """Answer float64[PLACES], the median disagreement of the heads at like places."""
    place = examples.place[examples.asked]
    width = log_odds(learner, examples)[examples.asked].std(axis=1, dtype=np.float64)
    parts = [width[place_row(place) == row] for row in range(len(PLACES))]
    return np.array([np.median(part if len(part) else width) for part in parts])


def tune(
    sessions: Sessions, labels: Labels, rows: Flags, settings: IntentSettings, tick: Tick
) -> Recipe:
    """Tune on the last valid_share of the sessions that hold the examples `rows`.

    Raises TooLittleData when either side has too few of either answer.
    """
    begun = sessions.starts[sessions.session]
    asked = np.unique(sessions.session[rows])
    if not len(asked):
        raise TooLittleData("no session asks the question; look at target and as_of")
    cut = int(np.quantile(sessions.starts[asked], 1 - settings.valid_share, method="higher"))
    early, late = rows & (begun < cut) & (labels.known < cut), rows & (begun >= cut)
    check_examples(sessions, labels, early, "to learn from")
    check_examples(sessions, labels, late, "to tune on", LEAST_HELD)
    train, valid = examined(sessions, labels, early), examined(sessions, labels, late)
    encoding = _encoding(train)
    valid_examples = _examples(encoding, valid)
    chosen = valid.rows
    y, owner = valid.y[chosen], valid.sessions.entities[valid.sessions.session[chosen]]
    network = forest = np.zeros(len(y))
    width, rates, curve, spread = None, (), [], None
    wanted = PARTS.get(settings.champion, (True, True))
    if wanted[0]:
        examples = _examples(encoding, train)
        trained = fit_network(
            examples,
            valid_examples,
            encoding.vocabulary,
            settings.network(),
            seed=settings.seed,
            threads=settings.threads,
            tick=tick,
        )
        heads = log_odds(trained.learner, valid_examples)[chosen].astype(np.float64)
        network, width = heads.mean(axis=1), heads.std(axis=1)
        rates, curve, spread = trained.rates, trained.curve, _spread(trained.learner, examples)
    if wanted[1]:
        trees = fit_trees(
            train.sessions, train.y, train.rows, threads=settings.threads, seed=settings.seed
        )
        forest = trees.log_odds(valid.sessions)[chosen]
    owner = np.unique(owner, return_inverse=True)[1].astype(np.int64)
    mixed = choose_mix(network, forest, y, owner, settings.champion)
    mix = mixed.mix
    odds = mix.network * network + mix.forest * forest
    calibration = choose_calibration(sigmoid(odds), y, owner % 5, owner)
    if mixed.champion == "forest":
        width = None
    known = valid_examples.encoded.known[chosen]
    trust = learn_confidence(valid.sessions.position[chosen], y, odds, width, known)
    found = {
        "champion": mixed.champion,
        "mix": mix._asdict(),
        "valid_log_loss": mixed.log_loss,
        "epochs": len(rates),
        "curve": [list(one) for one in curve],
        "calibration": calibration.name,
        "half_events": trust.half,
    }
    return Recipe(mixed.champion, mix, calibration.calibration, trust, rates, spread, found)


def learn(
    part: Examined,
    recipe: Recipe,
    settings: IntentSettings,
    tick: Tick,
    wanted: tuple[bool, bool],
) -> Parts:
    """Learn network and forest, where wanted, from all examples."""
    encoding = _encoding(part)
    network, forest, spread = None, None, None
    if wanted[0] and recipe.rates:
        examples = _examples(encoding, part)
        learner = learn_again(
            examples,
            encoding.vocabulary,
            settings.network(),
            recipe.rates,
            seed=settings.seed,
            threads=settings.threads,
            tick=tick,
        )
        network, spread = export(learner), _spread(learner, examples)
    if wanted[1]:
        forest = fit_trees(
            part.sessions, part.y, part.rows, threads=settings.threads, seed=settings.seed
        ).forest
    return Parts(encoding, network, forest, spread)


def assemble(
    parts: Parts,
    recipe: Recipe,
    definition: Mapping[str, Any],
    renown: Renown,
    categories: Categories,
    rate: float,
) -> IntentModel:
    """Put the champion together."""
    used = PARTS[recipe.champion]
    # More examples and as many epochs draw heads further apart; what is wide is relative to that.
    times = np.ones(len(PLACES))
    if parts.spread is not None and recipe.spread is not None:
        times = parts.spread / np.maximum(recipe.spread, 1e-9)
    return IntentModel(
        definition=definition,
        encoding=parts.encoding,
        renown=renown,
        categories=categories,
        network=parts.network if used[0] else None,
        forest=parts.forest if used[1] else None,
        mix=recipe.mix,
        calibration=recipe.calibration,
        trust=recipe.trust.wider(times),
        rate=rate,
    )


def answers_of(model: IntentModel, sessions: Sessions) -> Trajectory:
    """Answer after every event of a table, some sessions at a time."""
    out = Trajectory(np.empty(len(sessions.ats)), np.empty(len(sessions.ats)))
    cuts = np.searchsorted(sessions.offsets, np.arange(0, len(sessions.ats) + _CHUNK, _CHUNK))
    for first, last in pairwise(np.minimum(cuts, len(sessions))):
        part = sessions.take(np.arange(first, last))
        found = model.answers(columns_of(part), part.offsets, part.prior, part.echoes)
        own = slice(sessions.offsets[first], sessions.offsets[last])
        out.probability[own], out.confidence[own] = found
    return out


def alone(parts: Parts, sessions: Sessions) -> dict[str, F64]:
    """Answer float64[n] probabilities of each part alone, uncalibrated."""
    out: dict[str, F64] = {}
    if parts.network is not None:
        whole = Examined(sessions, np.ones(len(sessions.ats), np.bool_), np.zeros(0, np.uint8))
        encoded = _examples(parts.encoding, whole).encoded
        heads = parts.network.every(encoded, sessions.offsets)
        out["network"] = sigmoid(heads.mean(axis=1, dtype=np.float64))
    if parts.forest is not None:
        out["forest"] = Trees(parts.forest)(sessions)
    return out
