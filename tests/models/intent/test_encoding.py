"""Encoding: shapes, what the past adds, the way back from a bundle."""

import numpy as np
import pytest

from models.intent.encoding import Encoding, learn_encoding
from models.intent.past import ECHOES, PRIOR
from models.intent.vocabulary import FIELDS, STEPS, Columns


@pytest.fixture
def given() -> tuple[Columns, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    n, offsets = 40, np.array([0, 1, 15, 40])
    columns = Columns(
        rng.integers(0, 6, n).astype(np.int8),
        rng.integers(0, 9, n).astype(np.uint64),
        rng.integers(0, 4, n).astype(np.int32),
        rng.integers(0, 10**7, n),
        np.cumsum(rng.integers(0, 10**5, n)),
    )
    echoes, prior = rng.gamma(1.0, 5.0, (n, len(ECHOES))), rng.gamma(1.0, 5.0, (3, len(PRIOR)))
    echoes[:15], prior[1] = np.nan, np.nan
    return columns, offsets, echoes, prior


def test_shapes_and_types(given: tuple) -> None:
    encoding = learn_encoding(*given)
    found = encoding.encode(*given)
    assert found.codes.shape == (40, len(FIELDS))
    assert found.numbers.shape == (40, encoding.numbers)
    assert found.prior.shape == (3, encoding.prior.width)
    assert (found.numbers.dtype, found.prior.dtype) == (np.float32, np.float32)
    assert np.isfinite(found.numbers).all()
    assert np.isfinite(found.prior).all()


def test_steps_are_scaled_over_all_events(given: tuple) -> None:
    numbers = learn_encoding(*given).encode(*given).numbers[:, : len(STEPS)]
    assert numbers.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert numbers[:, 0].std() == pytest.approx(1, abs=1e-5)


def test_no_past_is_told_apart_from_an_average_past(given: tuple) -> None:
    columns, offsets, echoes, prior = given
    encoding = learn_encoding(*given)
    missing = encoding.encode(columns, offsets, np.full_like(echoes, np.nan), prior * np.nan)
    there = encoding.encode(*given)
    assert encoding.prior.flags.tolist() == [0]
    assert (missing.prior[:, -1] == 1).all()
    assert there.prior[:, -1].tolist() == [0, 1, 0]
    assert not missing.prior[:, :-1].any()


def test_one_event_alone_is_encoded_as_in_company(given: tuple) -> None:
    columns, _, echoes, prior = given
    encoding = learn_encoding(*given)
    alone = encoding.encode(columns.part(0, 1), np.array([0, 1]), echoes[:1], prior[:1])
    among = encoding.encode(*given)
    assert np.array_equal(alone.codes[0], among.codes[0])
    assert np.array_equal(alone.numbers[0], among.numbers[0])


def test_it_comes_back_from_its_arrays(given: tuple) -> None:
    encoding = learn_encoding(*given)
    found, again = (
        one.encode(*given) for one in (encoding, Encoding.from_arrays(encoding.arrays()))
    )
    for one, other in zip(found, again, strict=True):
        assert np.array_equal(one, other, equal_nan=True)


def test_an_encoding_of_other_columns_is_refused(given: tuple) -> None:
    columns, offsets, echoes, prior = given
    fewer = learn_encoding(columns, offsets, echoes[:, 1:], prior)
    with pytest.raises(ValueError, match="another release"):
        Encoding.from_arrays(fewer.arrays())
