"""The graph filter: what a history leads to once noise is filtered out of who had what.

The sum of normalised co-occurrence and its smoothest part (GF-CF: Shen et al., 2021), item by
item, its largest weights kept as edges: serving is that of the item graph. Knows nothing of how
the filter was computed.
"""

from models.recommend.item_graph import ItemGraph


class GraphFilter(ItemGraph):
    """Filter weights of either sign as compressed sparse rows, the largest by size kept."""
