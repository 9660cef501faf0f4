"""The smallest forest asks one thing and answers by it."""

import numpy as np
import pytest

from models.forest.stump import stump


def test_it_asks_one_thing():
    forest = stump(3, 1, 2.5)
    rows = np.array([[9.0, 2.5, 9.0], [0.0, 2.6, 0.0], [0.0, np.nan, 0.0]])
    assert forest.raw(rows).tolist() == [-1.0, 1.0, -1.0]
    assert forest.few is not None
    assert (len(forest), forest.features, forest.base) == (1, 3, 0.0)


def test_a_feature_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="feature"):
        stump(3, 3)
