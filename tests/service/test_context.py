"""The bag of doors: every live part is there once the service has started."""

from dataclasses import fields

from service.context import Context
from tests.service.serving import App


def test_every_door_is_open(app: App) -> None:
    assert isinstance(app.context, Context)
    assert [f.name for f in fields(Context) if getattr(app.context, f.name) is None] == []
    assert app.context.store is app.store
    assert app.context.clock is app.clock
