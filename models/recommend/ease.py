"""EASE: each item's score as a weighed sum of the history's items, weights solved in closed form.

Weights may be negative: what speaks against an item counts too (Steck, 2019). Serving is that of
the item graph. Knows nothing of how the weights were solved for.
"""

from models.recommend.item_graph import ItemGraph


class Ease(ItemGraph):
    """Weights of either sign as compressed sparse rows, the largest by size of each item kept."""
