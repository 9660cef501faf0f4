"""The store over Redis or Valkey: one server, a cluster, or the embedded default.

The only package that may import redis or hiredis. Knows nothing of HTTP or models.
"""
