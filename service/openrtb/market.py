"""Which lines want an auction: the definition itself, one line after another.

Right for a few campaigns and as the measure of any index; its cost grows with all lines.
Knows targeting and flights, nothing of budgets.
"""

from collections.abc import Iterable, Sequence

from domain.calendars import hour_of_week
from domain.campaigns import Campaign
from domain.targeting import Traits, wants
from service.openrtb.candidates import ReadyLine, ready_lines


class ListedMarket:
    """The lines of given campaigns, each asked whether it wants an opportunity."""

    def __init__(self, campaigns: Iterable[Campaign] = ()) -> None:
        self._lines = [line for campaign in campaigns for line in ready_lines(campaign)]
        self.deals = frozenset[str]().union(*(line.deals for line in self._lines))

    def matching(self, traits: Traits, now_ms: int) -> Sequence[ReadyLine]:
        """Answer the lines that are running and want an opportunity with these traits."""
        return [
            ready
            for ready in self._lines
            if ready.campaign.lives(now_ms)
            and wants(ready.line.targeting, traits, hour_of_week(ready.campaign.zone, now_ms))
        ]
