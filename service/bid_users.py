"""Who is behind an auction, as far as there is leave to know: one read, and what bids go by.

Consent to advertising is asked before anything else is looked at; without it, and for whoever
cannot be read in time, the bid is by the context alone and nothing is kept. Scores are those kept
in the store: no model of a visit runs here. Knows nothing of lines, prices or the wire.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from domain.clock import DAY_MS, HOUR_MS, Clock
from domain.errors import SanderlingError
from domain.ids import is_valid_id, session_entity, user_entity
from domain.opportunities import Auction, Keys
from domain.scores import Band, Score
from domain.users import Profile, Purpose, may_use
from feature_store.records import RECORD
from feature_store.scores import NO_SCORES
from feature_store.store import EntityState, Store
from models.bidding.frequency import prepare
from service.bundles import Bundles
from service.known_user import NO_CHANCES, NOBODY, KnownUser
from service.live_churn import LiveChurn
from service.live_segments import LiveSegments
from service.logs import log_unexpected
from service.membership import segments_now
from service.metrics import Metrics
from service.settings import ServiceSettings
from service.states import DOWN_TIMEOUT_S
from service.store_watch import StoreWatch
from service.view_numbers import ViewNumbers

FAMILY, INTENT, CHURN = "bidding", "intent", "churn"
STAGE = "bid_user"
OPEN_MS = DAY_MS
"""How long a score of intent counts while no model of it is loaded that says so."""
TRUSTED = 0.5
"""Below this confidence a visitor is treated as if nothing were known."""
KEEN = 3.0
"""So many times the usual chance is high intent; the usual chance is medium."""
_ALONE: Mapping[Band | None, tuple[str, ...]] = {
    None: (),
    **{band: (band.value,) for band in Band},
}


class Doors(NamedTuple):
    """The doors that users are read through."""

    store: Store
    settings: ServiceSettings
    segments: LiveSegments
    churn: LiveChurn
    bundles: Bundles
    watch: StoreWatch
    metrics: Metrics
    clock: Clock


def entity_of(keys: Keys, exchange: str) -> str:
    """Answer the store's name for whom an exchange asks about, "" when there is none.

    Our own id, as the exchange matched it, names a user. Else a device's advertising id, or the
    exchange's id under the exchange's name, is a session, "ifa:…" or "exchange:NAME:…": who
    identifies that session as a user links it like any other. An id of zeros is no one's.
    """
    if keys.buyer and is_valid_id(keys.buyer):
        return user_entity(keys.buyer)
    device = keys.device.lower()
    if device.strip("0-"):
        session = f"ifa:{device}"
        if is_valid_id(session):
            return session_entity(session)
    if keys.exchange and exchange:
        session = f"exchange:{exchange}:{keys.exchange}"
        if is_valid_id(session):
            return session_entity(session)
    return ""


class BidUsers:
    """Reads the users of auctions.

    targeted: answers the segments that some line asks for, None for all: others need not be
    judged.
    """

    def __init__(
        self, doors: Doors, targeted: Callable[[], frozenset[str] | None] | None = None
    ) -> None:
        self._doors = doors
        self._targeted = targeted or _all
        self._cap = doors.store.settings.history_cap
        self._numbers = ViewNumbers()
        prepare(RECORD)
        count = doors.metrics.bid_users.labels
        self._contextual = count("contextual")
        self._nameless = count("nameless")
        self._known, self._new = count("known"), count("new")
        self._refused, self._late, self._failed = count("refused"), count("late"), count("failed")

    async def read(self, auction: Auction, patience_s: float) -> KnownUser:
        """Answer whom an auction is about; NOBODY when that may not or cannot be known in time.

        Without leave nothing is read, and nothing raises: what fails costs the personal part.
        """
        if not auction.privacy.personal:
            self._contextual.inc()
            return NOBODY
        entity = entity_of(auction.keys, auction.exchange)
        if not entity:
            self._nameless.inc()
            return NOBODY
        doors = self._doors
        # While the store is known to be down, asking it is a formality that must cost little.
        most_s = doors.settings.store_timeout_s if doors.watch.up else DOWN_TIMEOUT_S
        if patience_s <= 0:
            self._late.inc()
            return NOBODY
        try:
            (state,) = (await doors.store.read((entity,), min(patience_s, most_s))).states
            return self.known(entity, state)
        except SanderlingError:
            self._late.inc()
        except Exception as error:
            log_unexpected(error, stage=STAGE)
            self._failed.inc()
        return NOBODY

    def known(self, entity: str, state: EntityState) -> KnownUser:
        """Answer what bids may go by of an entity that was read."""
        doors, profile = self._doors, state.profile
        if not self._may(profile, Purpose.advertising):
            self._refused.inc()
            return NOBODY
        now = doors.clock()
        (self._known if state.found else self._new).inc()
        if state.linked_user:
            entity = user_entity(state.linked_user)
        chances, intent, churn = NO_CHANCES, (), ()
        if state.scores is not NO_SCORES:
            chances, intent, churn = self._told(state, now)
        numbers = None
        if len(state.records) and doors.bundles.current(FAMILY) is not None:
            numbers = self._numbers.of(state.records, state.lifetime, now, self._cap)
        segments = segments_now(doors, state, now, wanted=self._targeted())
        return KnownUser(entity, segments, intent, churn, chances, numbers, state.records, now)

    def _may(self, profile: Profile | None, purpose: Purpose) -> bool:
        return may_use(profile, purpose, unanswered=self._doors.settings.unanswered)

    def _told(
        self, state: EntityState, now: int
    ) -> tuple[Mapping[str, float], tuple[str, ...], tuple[str, ...]]:
        """Answer chances by family, then the bands of intent and of churn; each by its consent."""
        chances: dict[str, float] = {}
        intent = churn = ()
        visit = state.scores.get(INTENT)
        if visit is not None and self._may(state.profile, Purpose.personalisation):
            open_ms, usual = self._asked()
            if now - visit.as_of <= open_ms:
                chances[INTENT] = visit.probability
                intent = _bands(visit, usual)
        leaving = state.scores.get(CHURN)
        if leaving is not None and self._may(state.profile, Purpose.analytics):
            chances[CHURN] = leaving.probability
            churn = _ALONE[leaving.band]
        return chances, intent, churn

    def _asked(self) -> tuple[float, float]:
        """Answer for how long intent's question stays open (ms), and the usual answer to it."""
        loaded = self._doors.bundles.current(INTENT)
        if loaded is None:
            return OPEN_MS, 0.0
        model = loaded.scorer
        return model.gap_ms + model.horizon_hours * HOUR_MS, model.rate


def _all() -> None:
    return None


def _bands(visit: Score, usual: float) -> tuple[str, ...]:
    """Answer the band of a visit: the one it was told with, else by how often it is so."""
    if visit.confidence < TRUSTED:
        return ()
    if visit.band is not None:
        return _ALONE[visit.band]
    return _band_of(visit.probability, usual)


def _band_of(chance: float, usual: float) -> tuple[str, ...]:
    """Answer low, medium from the usual chance on, high from KEEN times it (or halfway from there
    to certainty, where that is less); () while nothing is usual."""
    if not 0 < usual < 1:
        return ()
    if chance >= min(KEEN * usual, (1 + usual) / 2):
        return _ALONE[Band.high]
    return _ALONE[Band.medium if chance >= usual else Band.low]
