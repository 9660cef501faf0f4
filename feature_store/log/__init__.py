"""The append-only log: Parquet files of events and of decisions, each row exactly once.

A file holds one contiguous range of one bucket's stream and is named by it, so that what is
on disk says by itself what has been written. Knows nothing of views or labels.
"""
