"""The room that remembers: histories, profiles, items, the intake stream, the log, replay.

Knows nothing of models, HTTP or training. Only `feature_store.redis` may import redis.
"""
