"""What is popular and rising just now, with everybody and in each segment, as the log writer last
published it for all workers.

Knows nothing of how trends are counted.
"""

from feature_store import segment_trends
from feature_store.segment_trends import NO_SEGMENTS, SegmentTrends
from feature_store.store import Store
from feature_store.trends import BLOB_NAME, NO_TRENDS, Trends, parse
from service.polling import SharedValue


class LiveTrends(SharedValue[Trends]):
    """The latest trends."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        super().__init__(store, BLOB_NAME, parse, NO_TRENDS, poll_s)


class LiveSegmentTrends(SharedValue[SegmentTrends]):
    """The latest trends of each segment."""

    def __init__(self, store: Store, *, poll_s: float = 2.0) -> None:
        super().__init__(store, segment_trends.BLOB_NAME, segment_trends.parse, NO_SEGMENTS, poll_s)
