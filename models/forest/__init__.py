"""Forests: boosted trees served from plain arrays, with exact reasons, without their library.

A forest is read once from the dump of a LightGBM booster and afterwards lives in a bundle's
arrays. Knows nothing of what the features mean or of what the numbers become.
"""

from models.forest.dump import forest_from_dump
from models.forest.forest import Forest

__all__ = ["Forest", "forest_from_dump"]
