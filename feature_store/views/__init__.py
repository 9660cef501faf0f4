"""Feature views: single functions from (records, lifetime, as_of) to a row of named numbers.

Knows nothing of where records come from: serving reads them, replay rebuilds them.
"""

from feature_store.views.catalogue import VIEWS, describe, views_named
from feature_store.views.view import Field, View

__all__ = ["VIEWS", "Field", "View", "describe", "views_named"]
