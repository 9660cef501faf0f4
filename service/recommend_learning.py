"""Learning from recommendations: which mix of members answers, what is explored, what is taught.

An answer looks up the last snapshot, draws by its own decision's id, and puts what it did on a
list; every other second what came of answers is taught to the reception that all workers share.
Until somebody tells what comes of answers the released mix answers. Knows nothing of requests.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from domain.clock import Clock
from domain.errors import Unavailable
from domain.events import Event
from domain.ids import hash64
from domain.slates import Slate
from feature_store.chosen import MOST_PAGE_BYTES, MOST_PLACES, Chosen
from feature_store.store import Store
from feature_store.switches import Switches
from models.bandits.choosing import choose
from models.bandits.evidence import COUNT, REWARD
from models.bandits.sites import LINEAR
from models.recommend.ask import Ask
from models.recommend.catalogue import Catalogue
from models.recommend.contexts import WIDTH, Numbers, context_of
from models.recommend.controls import NO_CONTROLS
from models.recommend.desk import Desk
from models.recommend.exploring import (
    NO_NEWCOMERS,
    Dice,
    Explored,
    Newcomers,
    Question,
    explore,
    planned,
    room_for,
)
from models.recommend.lessons import Given, Lessons, teach
from models.recommend.mixes import ARMS, RELEASED, differs, mixes_of_model, remade
from models.recommend.model import RecommendModel
from models.recommend.policy import recommend
from models.recommend.received import Received, received_of
from models.recommend.reception import LONGEST_PAGE, Reception
from models.recommend.reception_format import pack_reception, read_reception
from service.logs import log_unexpected, log_warning
from service.metrics import Metrics
from service.polling import Poller
from service.recommend_outcomes import RecommendOutcomes
from service.recommend_settings import RecommendSettings
from service.sharing import Shared, Worked

NAME: Final = "recommend-reception"
STALE_MS: Final = 30_000
MOST_LESSONS: Final = 50_000
"""Lessons that wait while none can be written; beyond it they are let go, and counted."""
_GRACE_MS: Final = 60_000
_encode = msgspec.json.Encoder().encode
_EVEN: Final = np.ones(0, np.float64)
_SLOTS: Final = tuple(Desk.__slots__)


class Mixed(NamedTuple):
    """One answer and how it came about.

    mix: its name, with what probability it was drawn (1 where nothing was), and in which
    context. explored, propensities: see models.recommend.exploring. learning: whether the mix
    was drawn by what was learned.
    """

    slate: Slate
    mix: str
    propensity: float
    context: Numbers
    explored: tuple[int, ...]
    propensities: tuple[float, ...]
    learning: bool


class Heard(NamedTuple):
    """The reception as it stands and what it means. refused: lessons that could not be taken."""

    reception: Reception
    received: Received
    refused: int = 0
    corrupt: bool = False


class _Ready(NamedTuple):
    """A model, once more with the weights of every other mix by arm, and bool[ARMS], which."""

    model: RecommendModel | None
    siblings: dict[int, RecommendModel]
    allowed: npt.NDArray[np.bool_]


class _New(NamedTuple):
    """What is new: of which catalogue, how large it was, as of which counts; by id, the hash."""

    seen: tuple[Catalogue | None, int, object] = (None, 0, None)
    newcomers: Newcomers = NO_NEWCOMERS
    hashes: dict[str, int] = {}  # noqa: RUF012


class LiveRecommending(Poller):
    """What has been learned, looked up by answers; see `look` for how it moves."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        metrics: Metrics,
        desk: Callable[[], Desk],
        switches: Callable[[], Switches],
        settings: RecommendSettings | None = None,
    ) -> None:
        """`desk`: what answers are made from just now; `switches`: what is switched off."""
        self.settings = settings or RecommendSettings()
        super().__init__(self.settings.turn_s)
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._desk = desk
        self._switches = switches
        self._outcomes = RecommendOutcomes(store, clock, metrics, self.settings)
        self._shared: Shared[Heard, Lessons] = Shared(store, NAME, clock, STALE_MS)
        self._one = asyncio.Lock()
        self._numbers = self.settings.policy.numbers
        self.reception = Reception(at=clock())
        self._received = received_of(self.reception)
        self._ready = _Ready(None, {}, np.zeros(len(ARMS), np.bool_))
        self._new = _New()
        self._next = Lessons()
        self._given: deque[Chosen] = deque()
        self._room = 0
        self._wide: tuple[Ask, int, Ask] | None = None

    # What answers do.

    def answer(
        self, question: Question, decision: str, *, page: str = "", device: str = "",
        share: float | None = None,
    ) -> Mixed:  # fmt: skip
        """Answer a question: choose a mix, fill the places, explore some of the last.

        decision: the answer's id, whose hash is the seed of all that is drawn. share: of the
        places to explore; None as the deployment has it, and never more.
        """
        desk, ask, asker, as_of = question
        switches, dice = self._switches(), Dice(hash64(decision))
        context = context_of(
            asker.origin, asker.ats.size, as_of, viewing=bool(ask.item), device=device
        )
        arm, propensity, learning = RELEASED, 1.0, False
        steered = ask.controls is not NO_CONTROLS
        if self._received.awake and not (switches.recommend_learning or steered):
            arm, propensity, learning = self._draw(desk, page, context, dice, switches)
        most = self.settings.share
        if switches.recommend_exploration:
            most = 0.0
        plan = planned(most if share is None else min(share, most), ask, dice)
        room = room_for(plan, ask)
        mixed = desk if arm == RELEASED else _with_model(desk, self._ready.siblings[arm])
        asked = ask if not room else self._wider(ask, room)
        slate = recommend(mixed, asked, asker, as_of)
        newcomers = self._new.newcomers if self._new.seen[0] is desk.catalogue else NO_NEWCOMERS
        found = explore(question, slate, newcomers, plan, dice)
        self._note(found, decision, page, arm, context, learning)
        return Mixed(found.slate, ARMS[arm], propensity, context, *found[1:], learning)

    def _wider(self, ask: Ask, room: int) -> Ask:
        """Answer the question for so many more places; most questions are one and the same."""
        kept = self._wide
        if kept is None or kept[0] is not ask or kept[1] != room:
            kept = self._wide = (ask, room, replace(ask, k=ask.k + room))
        return kept[2]

    @staticmethod
    def with_mix(question: Question, model: RecommendModel) -> Slate:
        """Answer a question with another model's weights, and nothing explored."""
        desk, ask, asker, as_of = question
        return recommend(_with_model(desk, model), ask, asker, as_of)

    def _draw(
        self, desk: Desk, page: str, context: Numbers, dice: Dice, switches: Switches
    ) -> tuple[int, float, bool]:
        """Answer the mix drawn, its propensity, and whether it was drawn at all: while the mixes
        of a new release are being made, the released one answers."""
        ready = self._ready
        if ready.model is not desk.model:
            return RELEASED, 1.0, False
        beliefs = self._received.beliefs(page)
        odds = np.empty(len(ARMS))
        limit = 0.0 if switches.recommend_exploration else self.settings.limit
        arm, _ = choose(
            beliefs.mean, beliefs.covariance, np.array(context), _EVEN, ready.allowed, LINEAR,
            self._numbers, beliefs.outcomes, limit, dice.roll(), odds,
        )  # fmt: skip
        return (arm, float(odds[arm]), True) if arm >= 0 else (RELEASED, 1.0, False)

    def _note(
        self, found: Explored, decision: str, page: str, arm: int, context: Numbers, learning: bool
    ) -> None:
        """Put what was done on the lists."""
        hashes = self._new.hashes
        if hashes:
            for name in found.slate.ids:
                if name in hashes:
                    self._next.placed[hashes[name]] += 1
        if learning and self._room > 0 and len(self._given) < MOST_LESSONS:
            self._room -= 1
            items = tuple([hash64(name) for name in found.slate.ids[:MOST_PLACES]])
            named = len(page) <= LONGEST_PAGE and len(page.encode()) <= MOST_PAGE_BYTES
            page = page if named else ""
            self._given.append(
                Chosen(decision, self._clock(), page, arm, context, items, found.places)
            )

    # What moves it.

    def outcomes(self, events: Iterable[Event]) -> None:
        """Take clicks and purchases among events that quote an answer's id; waits for nothing,
        and lets no error out: events are answered whatever becomes of answers."""
        try:
            self._outcomes.take(events)
        except Exception as error:
            log_unexpected(error, stage="recommend outcomes")

    async def start(self) -> None:
        """Draw among no mixes, that nobody waits until the code for it is compiled; then start."""
        none = Desk(Catalogue()), "", (0.0,) * WIDTH, Dice(0)
        await asyncio.to_thread(self._draw, *none, self._switches())
        await super().start()

    async def stop(self) -> None:
        """Stop, and teach what is left."""
        await super().stop()
        await self.look()

    async def look(self) -> None:
        """Learn from what came in, teach it to the others, hear what they learned; lets no error
        out. What could not be written is kept for the next turn, and counts once all the same."""
        async with self._one:
            await self._look()

    async def _look(self) -> None:
        try:
            if self._switches().recommend_learning:
                self._outcomes.forget()
            await self._gather()
            shared = self._shared
            if shared.pending is None and len(self._next):
                lessons, self._next = self._next, Lessons()
                shared.give(lessons)
            given = 0 if shared.pending is None else len(shared.pending)
            heard = await shared.exchange(self._work)
            if heard is not None:
                self._show(heard, given)
            await self._make_ready()
        except Unavailable:
            pass
        except Exception as error:
            # Nothing may stop the others' lessons for good: what cannot be learned is let go.
            self._shared.pending = None
            self._metrics.reception_lessons.labels("refused").inc()
            log_unexpected(error, stage="recommend learning")

    async def _gather(self) -> None:
        """Keep what was answered, look up what came of it, and make lessons of both."""
        settings = self.settings
        self._room = round(settings.most * settings.turn_s)
        if len(self._next) > MOST_LESSONS:
            self._metrics.reception_lessons.labels("lost").inc(len(self._next))
            self._next = Lessons()
        if self._given:
            given = list(self._given)
            try:
                await self._store.chosen.put(given, settings.window_ms + _GRACE_MS)
                self._next.given += [Given(one.page, one.arm, one.context) for one in given]
            except ValueError as error:
                # What can never be kept must not stand in the way of what comes after it.
                self._metrics.reception_lessons.labels("refused").inc(len(given))
                log_unexpected(error, stage="recommend answers")
            for _ in given:
                self._given.popleft()
        await self._outcomes.settle(self._next)
        self._next.woken |= self._outcomes.told and not self._received.awake
        self._outcomes.told = False

    def _work(self, held: bytes | None) -> Worked[Heard]:
        """In a thread: read the reception, add what is pending unless it is there, work out what
        it means."""
        now, half_life = self._clock(), self.settings.half_life_ms
        shared, corrupt = self._shared, False
        try:
            reception = Reception(at=now) if held is None else read_reception(held)
        except ValueError:
            reception, corrupt = Reception(at=now), True
        reception = reception.faded(now, half_life)
        pending, refused, changed = shared.pending, 0, corrupt
        if pending is not None and reception.number_of(shared.worker) < shared.number:
            reception, refused = teach(reception, pending, half_life)
            if (model := self._desk().model) is not None:
                # Learned by now, so new no more: room for the counts of those that are.
                reception = reception.forgetting(model.hashes)
            reception, changed = reception.signed(shared.worker, shared.number, now), True
        blob = pack_reception(reception) if changed else None
        return Worked(Heard(reception, received_of(reception), refused, corrupt), blob)

    def _show(self, heard: Heard, given: int) -> None:
        """Make what was heard the snapshot."""
        metrics, counts = self._metrics, heard.reception.pages
        if given:
            refused = min(heard.refused, given)
            metrics.reception_lessons.labels("learned").inc(given - refused)
            metrics.reception_lessons.labels("refused").inc(refused)
        if heard.corrupt:
            metrics.reception_lessons.labels("corrupt").inc()
            log_warning("what recommendations had taught cannot be read; learning starts anew")
        self.reception, self._received = heard.reception, heard.received
        tallies = counts.evidence.tallies.reshape(-1, len(ARMS), 3).sum(axis=0)
        for arm, name in enumerate(ARMS):
            metrics.mix_answers.labels(name).set(float(tallies[arm, COUNT]))
            metrics.mix_rewards.labels(name).set(float(tallies[arm, REWARD]))
            metrics.mix_belief.labels(name).set(float(heard.received.stranger.mean[arm, 0]))

    async def _make_ready(self) -> None:
        """Make the mixes of a new release, and find what is new in the catalogue."""
        desk = self._desk()
        model, catalogue = desk.model, desk.catalogue
        if self._received.awake and model is not None and self._ready.model is not model:
            self._ready = await asyncio.to_thread(_ready_of, model)
        seen = (catalogue, catalogue.size, self._received.placed)
        if model is None:
            self._new = _New()
        elif any(one is not other for one, other in zip(seen, self._new.seen, strict=True)):
            enough = self.settings.enough
            self._new = await asyncio.to_thread(_new_of, seen, self._received, enough)


def _new_of(seen: tuple[Catalogue, int, object], received: Received, enough: int) -> "_New":
    """In a thread: find what is new in a catalogue and was not placed often enough yet."""
    catalogue, size, _ = seen
    names = catalogue.ids[catalogue.known : size]
    hashes = np.fromiter(map(hash64, names), np.uint64, len(names))
    often = received.items[received.placed >= enough]
    newcomers = Newcomers.of(catalogue.known, hashes, often)
    places = (newcomers.rows - catalogue.known).tolist()
    return _New(seen, newcomers, {names[at]: int(hashes[at]) for at in places})


def _ready_of(model: RecommendModel) -> _Ready:
    """In a thread: make the model once more with the weights of every mix.

    Where a ranker is not told of those who lead in a mix, that mix would be the released one
    under another name: there is none of it.
    """
    mixes = [mix for mix in mixes_of_model(model) if mix.arm != RELEASED]
    siblings = {mix.arm: remade(model, mix) for mix in mixes}
    siblings = {arm: one for arm, one in siblings.items() if differs(one, model)}
    for one in siblings.values():
        # Once here, where nobody waits: a leaning ranker runs a kernel that no other answer does.
        heard = int(np.argmax(model.kind_weights))
        first = {"items": model.items[:1], "kinds": [heard], "ats": [0]}
        one.answer({**first, "as_of": 1, "k": 1})
    allowed = np.zeros(len(ARMS), np.bool_)
    allowed[[RELEASED, *siblings]] = True
    return _Ready(model, siblings, allowed)


def told(request: str, mixed: Mixed) -> str:
    """Answer a logged request (a JSON object) with how its answer was chosen, where by chance.

    `propensity` is that of the mix; those of the places are the decision's own.
    """
    if not (mixed.learning or mixed.explored):
        return request
    chosen = {
        "mix": mixed.mix,
        "propensity": mixed.propensity,
        "context": mixed.context,
        "explored": mixed.explored,
        "learning": mixed.learning,
    }
    comma = "" if request == "{}" else ","
    return f'{request[:-1]}{comma}"chosen":{_encode(chosen).decode()}}}'


def _with_model(desk: Desk, model: RecommendModel) -> Desk:
    """Answer the desk with the model's sibling in its place; all else is shared."""
    made = object.__new__(Desk)
    for name in _SLOTS:
        setattr(made, name, getattr(desk, name))
    made.model = model
    return made
