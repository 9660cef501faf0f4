"""What is popular and rising just now, as the log writer last published it for all workers.

Knows nothing of how trends are counted.
"""

from feature_store.store import Store
from feature_store.trends import BLOB_NAME, NO_TRENDS, Trends, parse
from service.polling import SharedValue


class LiveTrends(SharedValue[Trends]):
    """The latest trends."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        super().__init__(store, BLOB_NAME, parse, NO_TRENDS, poll_s)
