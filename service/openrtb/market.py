"""Which lines want an auction: the definition itself, one line after another.

Right for a few campaigns and as the measure of any index; its cost grows with all lines.
Knows targeting and flights, nothing of budgets.
"""

from collections.abc import Iterable

import numpy as np

from domain.calendars import hour_of_week
from domain.campaigns import Campaign
from domain.targeting import Traits, wants
from service.known_user import NOBODY, KnownUser
from service.openrtb.candidates import Matched, ready_lines
from service.openrtb.gathering import Gatherer
from service.openrtb.table import lay_out


class ListedMarket:
    """The lines of given campaigns, each asked whether it wants an opportunity."""

    def __init__(self, campaigns: Iterable[Campaign] = ()) -> None:
        every = [line for campaign in campaigns for line in ready_lines(campaign)]
        lines, self.table = lay_out(every)
        self.gatherer = Gatherer(lines)
        self._lines = lines
        self.deals = frozenset[str]().union(*(line.deals for line in self._lines))

    def matching(self, traits: Traits, now_ms: int, known: KnownUser = NOBODY) -> Matched:
        """Answer the lines that are running and want an opportunity with these traits; caps on
        frequency are not looked at."""
        wanted = [
            number
            for number, ready in enumerate(self._lines)
            if ready.campaign.lives(now_ms)
            and wants(ready.line.targeting, traits, hour_of_week(ready.campaign.zone, now_ms))
        ]
        return Matched(np.array(wanted, np.int32))
