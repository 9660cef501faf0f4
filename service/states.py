"""What routes read of entities: their states in time, and rows of views made of them (those from
feature_store.views.rows).

A store that does not answer in time costs the personal part of an answer and nothing else.
Knows the layout of states, nothing of what rows are used for.
"""

import asyncio
from collections.abc import Sequence

from domain.errors import SanderlingError, StoreMisconfigured
from feature_store.store import EntityState
from feature_store.views.rows import owned as owned
from feature_store.views.rows import view_rows as view_rows
from service.context import Context
from service.logs import log_unexpected

DOWN_TIMEOUT_S = 0.02
"""While the store is known to be down, asking it is a formality that must cost little."""


async def read_states(
    context: Context, entities: Sequence[str], route: str, *, turns: int = 1
) -> tuple[EntityState, ...] | None:
    """Answer the states of entities, in order; None when the store does not answer in time.

    turns: how many times the usual patience many entities are worth.
    """
    patience = context.settings.store_timeout_s * turns if context.watch.up else DOWN_TIMEOUT_S
    try:
        return (await context.store.read(entities, patience)).states
    except SanderlingError:
        return None
    except Exception as error:
        # What cannot be read is not used: the answer goes out without it.
        _note(context, error, route)
        return None


async def read_each(
    context: Context, entities: Sequence[str], route: str, *, turns: int = 1
) -> list[EntityState | None]:
    """Answer the state of each entity, None where it cannot be read: what one key holds must not
    cost the others their answers.
    """
    patience = context.settings.store_timeout_s * turns if context.watch.up else DOWN_TIMEOUT_S
    try:
        return list((await context.store.read(entities, patience)).states)
    except StoreMisconfigured:
        if len(entities) == 1:
            return [None]
    except SanderlingError:
        return [None] * len(entities)
    except Exception as error:
        _note(context, error, route)
        return [None] * len(entities)
    # One by one, all in the same turn: the store is asked in one round trip again.
    alone = [read_states(context, (entity,), route, turns=turns) for entity in entities]
    return [None if found is None else found[0] for found in await asyncio.gather(*alone)]


def _note(context: Context, error: Exception, route: str) -> None:
    log_unexpected(error, route=route)
    context.metrics.unexpected.labels(route).inc()


def moments(states: Sequence[EntityState], now_ms: int) -> list[int]:
    """Answer the as_of of each state: now, or just after an event of a clock that is fast."""
    return [
        max(now_ms, int(state.records["at"][-1]) + 1) if len(state.records) else now_ms
        for state in states
    ]
