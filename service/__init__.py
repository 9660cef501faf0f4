"""The room that answers requests: routes, decisions, hot-swapped bundles, metrics.

Knows nothing of training; never imports torch or mlflow.
"""
