"""The pace of one campaign from one look at its counters to the next: both duals, stepped together.

Decides when there is enough to judge, how long a step is, and how an overspend that is far off is
caught at once. Everything is a pure function of (state, counters, time), so that whoever steps
comes to the same. Knows nothing of stores, workers or auctions.
"""

from dataclasses import replace
from math import exp, isfinite, log, sqrt
from typing import NamedTuple

from domain.campaigns import Aim, Campaign
from domain.clock import HOUR_MS, MINUTE_MS
from domain.money import MICROS
from models.bidding.dayplan import DayPlan
from models.bidding.pacing import Pace, PacingSettings, credited

NO_TARGET = 5.0
"""The log-multiplier of a target that there is none of, far above every budget's."""
ENOUGH_BILLS = 5.0
"""So many impressions due, or targets' worth of money, are enough to judge a stretch by."""
LONGEST_MS = 2 * MINUTE_MS
"""A stretch is judged after this at the latest, however little was due."""
FORGET_MS = 10 * MINUTE_MS
"""A stretch that nobody looked at for so long is not judged: too much may have happened."""
REST_MS = 30_000
"""Bills come late: after a leap so long passes before the next."""
LEAP = 3.0
"""Spending this many times what was due is not waited out in small steps."""
LEAST_STEP_MS, FULL_STEP = 500, 0.1
"""A stretch of LONGEST_MS moves the logarithm by up to FULL_STEP, a shorter one by the root."""
STEPS_A_PLAN = 2.0
"""A plan may move its multiplier by e to this, however short it is,"""
MOST_STEP = 0.25
"""though never by more than this at once."""
_CREDITED = {Aim.cpc: 10 * MINUTE_MS, Aim.cpa: 24 * HOUR_MS, Aim.roas: 24 * HOUR_MS}
"""How long what is aimed at may take: that of younger wins need not have been seen yet."""
AIMED = frozenset(_CREDITED)
"""Aims with a target of cost that a campaign's multiplier answers for."""
_OLD = 6


class Counted(NamedTuple):
    """What the ledger says of a campaign since it began; money in micros.

    before: spent before today. foretold_clicks, foretold_conversions: summed chances of the
    impressions that were billed, 0 while nothing foretells them.
    """

    spent: float = 0.0
    before: float = 0.0
    bills: float = 0.0
    losses: float = 0.0
    clicks: float = 0.0
    conversions: float = 0.0
    value: float = 0.0
    foretold_clicks: float = 0.0
    foretold_conversions: float = 0.0


class Paced(NamedTuple):
    """A campaign's state. Times are UTC ms; sums are the ledger's at that time.

    log_budget, log_target: see models.bidding.pacing.Pace. since: when the stretch that is being
    looked at began, with `spent` and `bills` then. leapt: when the last leap was. goal: what the
    target was when its sums began. goal_since, goal_spent and so on: where the target's stretch
    began. paid, earned: of all its stretches before. old: (when, foretold) now and then,
    the oldest first.
    """

    log_budget: float = 0.0
    log_target: float = NO_TARGET
    since: int = 0
    spent: float = 0.0
    bills: float = 0.0
    leapt: int = 0
    goal: str = ""
    goal_since: int = 0
    goal_spent: float = 0.0
    goal_bills: float = 0.0
    goal_foretold: float = 0.0
    goal_seen: float = 0.0
    paid: float = 0.0
    earned: float = 0.0
    old: tuple[tuple[int, float], ...] = ()

    @property
    def multiplier(self) -> float:
        """What a value is multiplied with."""
        return exp(min(self.log_budget, self.log_target))


def settings_of(campaign: Campaign) -> PacingSettings:
    """Answer how far a campaign's multipliers may go: above 1 only to meet a target of cost."""
    plain = PacingSettings()
    return replace(plain, top=plain.highest) if campaign.objective.aim in AIMED else plain


def is_sane(state: Paced) -> bool:
    """Tell whether a state could have come about: whoever reads one from elsewhere asks first."""
    plain = PacingSettings()
    low, high = log(plain.lowest) - 1e-9, log(plain.highest) + 1e-9
    sums = (state.spent, state.bills, state.goal_spent, state.goal_bills, state.goal_foretold)
    sums = (*sums, state.goal_seen, state.paid, state.earned, *(held for _, held in state.old))
    return (
        low <= state.log_budget <= high
        and (low <= state.log_target <= high or state.log_target == NO_TARGET)
        and all(isfinite(one) and one >= 0 for one in sums)
        and min(state.since, state.leapt, state.goal_since) >= 0
    )


def stepped(
    state: Paced, counted: Counted, campaign: Campaign, plan: DayPlan | None, now_ms: int
) -> Paced:
    """Answer the state after a look at the counters; the same one when there is nothing to judge.

    Counters that are no numbers change nothing; those that went back, a clock that did, and a
    stretch nobody looked at begin a new stretch.
    """
    if not all(isfinite(number) and number >= 0 for number in counted):
        return state
    settings = settings_of(campaign)
    state = _aimed(state, counted, campaign, now_ms)
    gone = now_ms - state.since
    back = counted.spent < state.spent or counted.bills < state.bills
    if not state.since or back or not 0 <= gone <= FORGET_MS:
        return _begun(state, counted, now_ms)
    state = _targeted(state, counted, campaign, settings, now_ms)
    if plan is None:
        # Nothing is held back where nothing is planned.
        return _begun(state._replace(log_budget=log(settings.top)), counted, now_ms)
    return _budgeted(state, counted, plan, settings, now_ms)


def _begun(state: Paced, counted: Counted, now_ms: int) -> Paced:
    return state._replace(since=now_ms, spent=counted.spent, bills=counted.bills)


def _budgeted(
    state: Paced, counted: Counted, plan: DayPlan, settings: PacingSettings, now_ms: int
) -> Paced:
    """Answer the state after the budget's step, if enough was due since it was last judged."""
    gone = now_ms - state.since
    spent, bills = counted.spent - state.spent, counted.bills - state.bills
    due = plan.due(state.since, now_ms, state.spent - counted.before)
    mean = counted.spent / counted.bills if counted.bills else 0.0
    surge = spent > LEAP * due and bills >= ENOUGH_BILLS and now_ms - state.leapt >= REST_MS
    enough = mean > 0 and due >= ENOUGH_BILLS * mean
    if gone < LEAST_STEP_MS or not (enough or surge or gone >= LONGEST_MS):
        return state
    pace = Pace(state.log_budget, state.log_target)
    leapt = state.leapt
    if surge and due > 0:
        pace, leapt = pace.anticipated(spent / due, 1.0), now_ms
    else:
        whole = float(plan.edges[-1] - plan.edges[0])
        step = max(
            FULL_STEP * sqrt(min(gone / LONGEST_MS, 1.0)),
            min(MOST_STEP, STEPS_A_PLAN * gone / whole),
        )
        pace = pace.paced(due, spent, replace(settings, step=step))
    low = log(settings.lowest)
    begun = _begun(state, counted, now_ms)
    return begun._replace(log_budget=max(pace.log_budget, low), leapt=leapt)


def turned(state: Paced, expected: float, meant: float, settings: PacingSettings) -> Paced:
    """Answer the state for an hour that brings `expected` times the last, `meant` times wanted."""
    pace = Pace(state.log_budget, state.log_target).anticipated(expected, meant)
    low, high = log(settings.lowest), log(settings.top)
    return state._replace(log_budget=min(max(pace.log_budget, low), high))


def _aimed(state: Paced, counted: Counted, campaign: Campaign, now_ms: int) -> Paced:
    """Answer the state with the target the campaign has now: another one begins anew."""
    aim, target = campaign.objective.aim, campaign.objective.target
    goal = f"{aim.value} {target}" if aim in AIMED and target > 0 else ""
    settings = settings_of(campaign)
    bounded = min(state.log_budget, log(settings.top))
    if goal == state.goal:
        return state._replace(log_budget=bounded) if bounded != state.log_budget else state
    return _aim_begun(state, counted, aim, now_ms)._replace(
        log_budget=bounded,
        log_target=0.0 if goal else NO_TARGET,
        goal=goal,
        paid=0.0,
        earned=0.0,
        old=((now_ms, _foretold(counted, aim)),) if goal else (),
    )


def _seen(counted: Counted, aim: Aim) -> float:
    """Answer what came of the campaign, in what its target is about; value in units."""
    if aim is Aim.roas:
        return counted.value / MICROS
    return counted.clicks if aim is Aim.cpc else counted.conversions


def _foretold(counted: Counted, aim: Aim) -> float:
    return counted.foretold_clicks if aim is Aim.cpc else counted.foretold_conversions


def _targeted(
    state: Paced, counted: Counted, campaign: Campaign, settings: PacingSettings, now_ms: int
) -> Paced:
    """Answer the state after the target's step, if enough was spent since it was last judged.

    What was foretold counts, corrected by what came of wins that are old enough; where nothing
    is foretold, what came counts, over stretches of several targets' worth of money.
    """
    if not state.goal:
        return state
    aim = campaign.objective.aim
    seen, foretold = _seen(counted, aim), _foretold(counted, aim)
    spent, fresh = counted.spent - state.goal_spent, foretold - state.goal_foretold
    if min(spent, fresh, seen - state.goal_seen, counted.bills - state.goal_bills) < 0:
        return _aim_begun(state, counted, aim, now_ms)._replace(old=((now_ms, foretold),))
    state = state._replace(old=_kept(state.old, now_ms, foretold, _CREDITED[aim]))
    one = _allowed(counted, campaign)
    if fresh > 0:
        few = counted.bills - state.goal_bills < ENOUGH_BILLS
        if one is None or (few and now_ms - state.goal_since < LONGEST_MS):
            return state
        earned = _credited(state, counted, aim) * one
    else:
        unit = MICROS * MICROS / campaign.objective.target if aim is Aim.roas else one
        earned = (seen - state.goal_seen) * (unit or 0.0)
        if one is None or max(spent, earned) < ENOUGH_BILLS * one:
            return state
    pace = Pace(state.log_budget, state.log_target)
    pace = pace.targeted(spent, earned, (state.paid, state.earned), settings)
    begun = _aim_begun(state, counted, aim, now_ms)
    return begun._replace(
        log_target=pace.log_target, paid=state.paid + spent, earned=state.earned + earned
    )


def _credited(state: Paced, counted: Counted, aim: Aim) -> float:
    """Answer how many outcomes to count for what was foretold since the last step.

    As many as were foretold, unless what came speaks against it: fewer than even the old wins
    should have brought, or more than all of them.
    """
    fresh = _foretold(counted, aim) - state.goal_foretold
    came = counted.clicks if aim is Aim.cpc else counted.conversions
    most = credited(fresh, state.old[0][1], came)
    least = credited(fresh, _foretold(counted, aim), came)
    return min(max(fresh, least), most)


def _allowed(counted: Counted, campaign: Campaign) -> float | None:
    """Answer what one click or conversion may cost, in micros; None while that is not known."""
    aim, target = campaign.objective.aim, campaign.objective.target
    if aim is not Aim.roas:
        return float(target)
    # What one conversion brings is what those so far brought on average.
    if not (counted.conversions and counted.value):
        return None
    return counted.value / counted.conversions * MICROS / target


def _aim_begun(state: Paced, counted: Counted, aim: Aim, now_ms: int) -> Paced:
    return state._replace(
        goal_since=now_ms,
        goal_spent=counted.spent,
        goal_bills=counted.bills,
        goal_foretold=_foretold(counted, aim),
        goal_seen=_seen(counted, aim),
    )


def _kept(
    old: tuple[tuple[int, float], ...], now_ms: int, foretold: float, hold_ms: int
) -> tuple[tuple[int, float], ...]:
    """Answer what is remembered of what was foretold when: some points of the last `hold_ms`."""
    if not old or now_ms - old[-1][0] >= max(hold_ms // _OLD, MINUTE_MS):
        old = (*old, (now_ms, foretold))
    while len(old) > 1 and old[1][0] <= now_ms - hold_ms:
        old = old[1:]
    return old[-2 * _OLD :]
