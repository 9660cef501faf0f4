"""The room that learns on a clock: data sets, splits, fits, evaluation, tracking, release.

Knows nothing of the service. Only `training.tracking` may import mlflow.
"""
