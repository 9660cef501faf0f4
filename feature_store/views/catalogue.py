"""The catalogue of feature views: a visible dict from name to view.

A new view is one module and one line here; parity tests then run on it by themselves.
"""

from collections.abc import Sequence

from feature_store.views.breadth import BREADTH
from feature_store.views.goods import GOODS
from feature_store.views.rfm import RFM
from feature_store.views.rhythm import RHYTHM
from feature_store.views.sequence import SEQUENCE
from feature_store.views.session import SESSION
from feature_store.views.view import View

VIEWS: dict[str, View] = {
    view.name: view for view in (SEQUENCE, RFM, RHYTHM, SESSION, BREADTH, GOODS)
}


def views_named(names: Sequence[str]) -> list[View]:
    """Answer the views with these names; raises KeyError naming one that does not exist."""
    return [VIEWS[name] for name in names]


def describe() -> list[dict[str, object]]:
    """Answer one row a field: view, field, dtype, unit, default, labels, description."""
    return [
        {
            "view": view.name,
            "signature": view.signature,
            "field": field.name,
            "dtype": field.dtype,
            "unit": field.unit,
            "default": field.default,
            "labels": list(field.labels),
            "description": field.description,
        }
        for view in VIEWS.values()
        for field in view.fields
    ]
