"""Evaluation: how well a model would have answered, asked as it will be asked in service."""
