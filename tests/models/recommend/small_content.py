"""A content member made by hand: two kinds of things, and items of either or of both."""

import numpy as np

from domain.ids import hash64
from domain.items import Item
from models.recommend.content import Content
from models.recommend.encoder import Encoder

KNOWN = ("tea", "mug", "pot", "bolt", "nut", "saw")
"""Three of the kitchen, three of the workshop."""


def item_of(name: str, *categories: str) -> Item:
    """An item of these categories and nothing else."""
    return Item(name, categories=categories)


def encoder_of(**axes: tuple[float, ...]) -> Encoder:
    """An encoder that knows categories alone, each with its row of the projection."""
    names = sorted(axes, key=lambda name: hash64(f"c {name}"))
    hashes = np.array([hash64(f"c {name}") for name in names], np.uint64)
    rows = np.array([axes[name] for name in names], np.float32)
    return Encoder(hashes, np.ones(len(names)), rows, {})


def content_of(decay: float = 0.5, trust: float = 0.5) -> Content:
    """The kitchen is one axis and the workshop the other; who had one goes on with the same."""
    vectors = np.array([[1, 0]] * 3 + [[0, 1]] * 3, np.float32)
    encoder = encoder_of(kitchen=(1.0, 0.0), workshop=(0.0, 1.0))
    return Content(encoder, vectors, vectors, np.eye(2), (decay, trust))
