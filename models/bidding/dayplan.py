"""A day's money over the day: how much is meant to be spent between any two moments of it.

Made of a campaign's budget, pacing, flight, the hours its lines are open, and its zone's day; in
continuous time, so that whoever steps may do so whenever there is something to judge. Knows
nothing of what was bid, and where money is kept.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.calendars import day_number, day_start, hour_of_week, offset_ms
from domain.campaigns import NO_END, Campaign, Pacing
from domain.clock import DAY_MS, HOUR_MS, MINUTE_MS
from domain.targeting import HOURS as WEEK
from models.bidding.forecast import HOURS, Floats
from models.bidding.pacing import FRONT_END, FRONT_START

SLOT_MS = 15 * MINUTE_MS
"""Zones, hours of targeting and days change at quarters of an hour."""
_EPOCH_HOUR = 72
"""1970 began on a Thursday."""
_LEAST_SLOTS = 24
_WEEK_MS = 7 * DAY_MS


class DayPlan(NamedTuple):
    """A day's money and when it is meant to be spent.

    budget: micros meant for the whole day. edges: float64[k + 1], UTC ms, rising. mass:
    float64[k + 1], how much of the day's weight lies before each edge. most: micros a minute,
    the fastest that a plan which was missed may be caught up with.
    """

    budget: float
    edges: Floats
    mass: Floats
    most: float

    def due(self, since: float, until: float, spent: float) -> float:
        """Answer what is to be spent from `since` to `until` (UTC ms), `spent` before of the day.

        What is left is spread over the weight that is left: a plan missed is made again.
        """
        before, after = np.interp((since, until), self.edges, self.mass)
        rest = float(self.mass[-1] - before)
        left = max(0.0, self.budget - spent)
        if rest <= 0.0 or after <= before:
            return 0.0
        wanted = left * float(after - before) / rest
        return min(wanted, self.most * (until - since) / MINUTE_MS)

    def weight(self, now_ms: float) -> float:
        """Answer how fast money is meant to go at a moment: 1 is the mean of the day, 0 not."""
        if not self.edges[0] <= now_ms < self.edges[-1]:
            return 0.0
        slot = int(np.searchsorted(self.edges, now_ms, side="right")) - 1
        rate = (self.mass[slot + 1] - self.mass[slot]) / (self.edges[slot + 1] - self.edges[slot])
        mean = self.mass[-1] / (self.edges[-1] - self.edges[0])
        return float(rate / mean)

    def by(self, now_ms: float) -> float:
        """Answer what is meant to be spent of the day before a moment."""
        return self.budget * float(np.interp(now_ms, self.edges, self.mass) / self.mass[-1])


def open_hours(campaign: Campaign) -> npt.NDArray[np.bool_]:
    """Answer bool[168]: the hours of the week, by the campaign's zone, in which a line may buy."""
    found = np.zeros(WEEK, np.bool_)
    for line in campaign.lines:
        if line.active:
            wanted = line.targeting.hours
            found[list(wanted) if wanted else slice(None)] = True
    return found


def plan_day(
    campaign: Campaign, now_ms: int, spent_before: int, hourly: Floats | None = None
) -> DayPlan | None:
    """Plan the day of the campaign's zone that `now_ms` lies in; None where nothing is planned.

    spent_before: micros spent before this day, of the total. hourly: float64[24], what each hour
    of UTC would cost at one multiplier; for pacing as demand. A total is spread evenly over the
    open hours of the flight; without an end of the flight and a daily budget there is nothing
    to plan by, nor when money is to be spent as fast as it can be.
    """
    if campaign.pacing is Pacing.asap or not campaign.lives(now_ms):
        return None
    flight, zone = campaign.flight, campaign.zone
    today = day_number(zone, now_ms)
    starts = max(day_start(zone, today), flight.starts_at)
    ends = min(day_start(zone, today + 1), flight.ends_at)
    hours = open_hours(campaign)
    edges = _edges(starts, ends)
    middles = (edges[:-1] + edges[1:]) / 2
    lasting = np.diff(edges) * hours[_hours_at(zone, middles)]
    if not lasting.sum() > 0:
        return None
    budget = _budget(campaign, (starts, ends), spent_before, hours)
    if budget is None:
        return None
    if campaign.pacing is Pacing.demand and hourly is not None:
        lasting = lasting * hourly[(middles // HOUR_MS).astype(np.int64) % HOURS]
    elif campaign.pacing is Pacing.front:
        along = (middles - starts) / (ends - starts)
        lasting = lasting * (FRONT_START + (FRONT_END - FRONT_START) * along)
    mass = np.concatenate(([0.0], np.cumsum(lasting)))
    bound = campaign.breaker
    # A plan asks for no more than half of what would trip the breaker.
    return DayPlan(budget, edges, mass, np.inf if bound is None else bound / 2)


def _hours_at(zone: str, moments: Floats) -> npt.NDArray[np.int64]:
    """Answer int64[k], the hours of the week by the zone's clock at moments of one day."""
    ahead = offset_ms(zone, int(moments[0]))
    if ahead != offset_ms(zone, int(moments[-1])):
        return np.array([hour_of_week(zone, int(at)) for at in moments], np.int64)
    return ((moments + ahead) // HOUR_MS + _EPOCH_HOUR).astype(np.int64) % WEEK


def _edges(starts: int, ends: int) -> Floats:
    """Answer the edges of the slots: quarters of an hour, shorter ones in a short flight."""
    if ends - starts < _LEAST_SLOTS * SLOT_MS:
        return np.linspace(starts, ends, _LEAST_SLOTS + 1)
    inside = np.arange((starts // SLOT_MS + 1) * SLOT_MS, ends, SLOT_MS).astype(np.float64)
    return np.concatenate(([float(starts)], inside, [float(ends)]))


def _budget(
    campaign: Campaign, day: tuple[int, int], spent_before: int, hours: npt.NDArray[np.bool_]
) -> float | None:
    """Answer what the day is meant to cost: the daily budget, and the day's share of the total."""
    budget, flight = campaign.budget, campaign.flight
    amounts: list[float] = [] if budget.daily is None else [float(budget.daily)]
    if budget.total is not None:
        left = float(max(0, budget.total - max(0, spent_before)))
        if flight.ends_at >= NO_END:
            amounts += [left] if amounts else []
        else:
            here = _open_ms(campaign.zone, day[0], day[1], hours)
            rest = _open_ms(campaign.zone, day[0], flight.ends_at, hours)
            amounts.append(left * min(1.0, here / rest) if rest > 0 else left)
    return min(amounts) if amounts else None


def _open_ms(zone: str, starts: int, ends: int, hours: npt.NDArray[np.bool_]) -> float:
    """Answer how long lines are open from `starts` to `ends`, to an hour in which clocks change."""
    weeks, rest = divmod(ends - starts, _WEEK_MS)
    into = starts % HOUR_MS
    count = -(-(rest + into) // HOUR_MS)
    lasting = np.full(count, float(HOUR_MS))
    if count:
        lasting[0] -= into
        lasting[-1] -= count * HOUR_MS - into - rest
    there = (hour_of_week(zone, starts) + np.arange(count)) % WEEK
    return float(lasting[hours[there]].sum()) + float(weeks * hours.sum() * HOUR_MS)
