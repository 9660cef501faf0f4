"""The campaigns as they stand, compiled for matching: the market that bids are chosen from.

Looks four times a second at one number, fetches what changed, and compiles the index in a thread
while the old one goes on answering. Flights, hours, switches and empty purses come in as one mask
made anew every second. Knows nothing of prices or of users.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from domain.calendars import hour_of_week
from domain.campaigns import Campaign
from domain.clock import Clock
from domain.errors import Unavailable
from domain.targeting import HOURS, Traits
from feature_store.campaigns import all_campaigns
from feature_store.store import Store
from feature_store.switches import ALL_ON, SWITCHES, Switches, parse_switches
from models.bidding.frequency import Caps, uncapped_lines
from models.bidding.targeting import Mask, TargetingIndex
from service.known_user import NOBODY, KnownUser
from service.logs import log_unexpected
from service.openrtb.candidates import Matched, ReadyLine, ready_lines
from service.openrtb.gathering import Gatherer
from service.openrtb.table import PriceTable, lay_out
from service.polling import Poller

POLL_S = 0.25
MASK_S = 1.0
Flags = npt.NDArray[np.bool_]
_NONE = np.zeros(0, np.int32)


class Tills(Protocol):
    """Who must know which campaigns there are, and knows which have money."""

    def put(self, campaigns: Iterable[Campaign]) -> None: ...
    def funded(self, campaign: str) -> bool: ...


@dataclass(slots=True, frozen=True)
class Board:
    """Every line of every campaign, numbered as the index numbers them; never changed.

    owners: int32[lines], the place of a line's campaign. hours: bool[lines, 168]. table: the
    prices' rows. caps: on frequency. segments: those that some line asks for.
    """

    campaigns: tuple[Campaign, ...] = ()
    lines: tuple[ReadyLine, ...] = ()
    index: TargetingIndex = field(default_factory=lambda: TargetingIndex.of(()))
    owners: npt.NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    hours: Flags = field(default_factory=lambda: np.zeros((0, HOURS), np.bool_))
    deals: frozenset[str] = frozenset()
    table: PriceTable = field(default_factory=PriceTable)
    caps: Caps = field(default_factory=lambda: Caps(()))
    segments: frozenset[str] = frozenset()
    gatherer: Gatherer = field(default_factory=lambda: Gatherer(()))

    def open_lines(
        self, now_ms: int, switches: Switches, funded: Callable[[str], bool] | None = None
    ) -> Flags:
        """Answer which lines may buy just now; bool[lines]."""
        if switches.everything or not self.lines:
            return np.zeros(len(self.lines), np.bool_)
        hours = {one.zone: hour_of_week(one.zone, now_ms) for one in self.campaigns}
        lives = np.array(
            [
                one.lives(now_ms)
                and one.campaign not in switches.campaigns
                and (funded is None or funded(one.campaign))
                for one in self.campaigns
            ],
            np.bool_,
        )
        at = np.array([hours[one.zone] for one in self.campaigns], np.int32)[self.owners]
        return lives[self.owners] & self.hours[np.arange(len(self.lines)), at]


def compile_board(campaigns: Iterable[Campaign], known: dict[str, Any] | None = None) -> Board:
    """Compile campaigns; blocking, some 0.1 s for 5,000 lines.

    known: what was made ready before, by campaign; a campaign that did not change is taken from
    there, and what is gone is dropped.
    """
    held = tuple(sorted(campaigns, key=lambda one: one.campaign))
    known = {} if known is None else known
    lines: list[ReadyLine] = []
    owners: list[int] = []
    for name in set(known) - {one.campaign for one in held}:
        del known[name]
    for place, campaign in enumerate(held):
        before = known.get(campaign.campaign)
        if before is None or before[0] is not campaign:
            before = known[campaign.campaign] = (campaign, ready_lines(campaign))
        lines += before[1]
        owners += [place] * len(before[1])
    index = TargetingIndex.of([ready.line.targeting for ready in lines])
    order: list[int] = index.order.tolist()
    hours = np.ones((len(lines), HOURS), np.bool_)
    for number, place in enumerate(order):
        wanted = lines[place].line.targeting.hours
        if wanted:
            hours[number] = False
            hours[number, list(wanted)] = True
    placed, table = lay_out(lines[place] for place in order)
    targets = [ready.line.targeting for ready in lines]
    return Board(
        held,
        placed,
        index,
        np.array([owners[place] for place in order], np.int32),
        hours,
        frozenset[str]().union(*(ready.deals for ready in lines)),
        table,
        Caps(held),
        frozenset[str]().union(*((*one.segments, *one.not_segments) for one in targets)),
        Gatherer(placed),
    )


class LiveCampaigns(Poller):
    """The current board and its mask, replaced together and never changed in place."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        tills: Tills | None = None,
        *,
        fill: Callable[[PriceTable], None] | None = None,
        poll_s: float = POLL_S,
    ) -> None:
        """fill: fills in what moves in a table of prices; asked every second."""
        super().__init__(poll_s)
        self._fill = fill
        self._store = store
        self._clock = clock
        self._tills = tills
        self._version = -1
        self._held: dict[str, Campaign] = {}
        self._known: dict[str, Any] = {}
        self._masked_at = 0.0
        self._looking = asyncio.Lock()
        self.switches: Switches = ALL_ON
        empty = Board()
        self._shown = (empty, empty.index.everybody)

    async def look(self) -> None:
        """Learn of changes and of switches; lets no error out."""
        async with self._looking:
            try:
                await self._look()
            except Unavailable:
                return
            except Exception as error:
                log_unexpected(error, stage="campaigns")

    async def _look(self) -> None:
        book = self._store.campaigns
        version, blob = await asyncio.gather(book.version(), self._store.get_blob(SWITCHES))
        switches = parse_switches(blob)
        thrown = switches != self.switches
        self.switches = switches
        if version != self._version:
            await self._advance()
        elif thrown or time.monotonic() - self._masked_at >= MASK_S:
            self._open(self.board)

    async def _advance(self) -> None:
        book = self._store.campaigns
        version, changes = await book.changes(max(self._version, 0))
        if changes is None or self._version < 0:
            # The version was read first: what changes meanwhile is fetched the next time.
            self._held = {one.campaign: one for one in await all_campaigns(book)}
        else:
            for change in changes:
                if change.campaign is None:
                    self._held.pop(change.campaign_id, None)
                else:
                    self._held[change.campaign_id] = change.campaign
        board = await asyncio.to_thread(compile_board, list(self._held.values()), self._known)
        self._version = version
        self._open(board)

    def _open(self, board: Board) -> None:
        """Show a board with a mask of this moment; say which campaigns need money."""
        now, tills = self._clock(), self._tills
        switches = self.switches
        funded = None
        if tills is not None:
            off = switches.campaigns
            tills.put(
                () if switches.everything
                else [one for one in board.campaigns if one.campaign not in off]
            )  # fmt: skip
            funded = tills.funded
        if self._fill is not None:
            self._fill(board.table)
        self._shown = (board, Mask.of(board.open_lines(now, switches, funded)))
        self._masked_at = time.monotonic()

    @property
    def board(self) -> Board:
        """The lines as they stand."""
        return self._shown[0]

    @property
    def deals(self) -> frozenset[str]:
        """Every deal that some line may buy."""
        return self.board.deals

    @property
    def table(self) -> PriceTable:
        """The prices' rows of the lines as they stand."""
        return self.board.table

    @property
    def gatherer(self) -> Gatherer:
        """Gathers what the lines may bid."""
        return self.board.gatherer

    @property
    def segments(self) -> frozenset[str]:
        """The segments that some line asks for, or keeps away from."""
        return self.board.segments

    def matching(self, traits: Traits, now_ms: int, known: KnownUser = NOBODY) -> Matched:
        """Answer the lines that are running, want an opportunity with these traits, and may still
        be shown to whoever is known."""
        off = self.switches.exchanges
        if off and not off.isdisjoint(traits.exchanges):
            return Matched(_NONE, off=True)
        board, mask = self._shown
        found = board.index.match(traits, mask)
        wanted = len(found)
        if known.seen is not None:
            found = uncapped_lines(known.seen, board.caps, board.owners, found, known.as_of)
        return Matched(found, wanted - len(found), self.switches.everything)

    @property
    def by_name(self) -> Mapping[str, Campaign]:
        """The campaigns as they stand."""
        return self._held
