"""Warming runs every kernel and changes no answer; the model it is done with is one that loads."""

import numpy as np
import pytest

from models.intent import glance, recurrent
from models.intent.model import IntentModel
from models.intent.warming import sample, warm, warm_network
from tests.models.intent.making import columns, model


def compiled(kernel) -> int:
    return len(kernel.signatures)


@pytest.mark.parametrize("parts", [(1.0, 0.0), (0.0, 1.0), (0.5, 0.5)])
def test_after_warming_no_history_is_compiled_for(parts: tuple[float, float]) -> None:
    intent = model(*parts)
    warm(intent)
    before = compiled(glance._look)
    assert before
    # As a store gives them: packed, read-only, of one event or many.
    row = np.dtype(
        [("at", "<i8"), ("item", "<u8"), ("value", "<i8"), ("kind", "u1"), ("currency", "<u2")]
    )
    for n in (1, 2, 40):
        own, records = columns(n), np.zeros(n, row)
        records["at"], records["item"], records["kind"] = own.ats, own.items, own.kinds
        records.flags.writeable = False
        names = ("kind", "item", "value", "currency", "at")
        found, _ = intent.score_history(tuple(records[one] for one in names), int(own.ats[-1]) + 1)
        assert 0 < found.probability < 1
    assert compiled(glance._look) == before


def test_warming_changes_no_answer() -> None:
    intent, own = model(), columns(9)
    asked = own.kinds, own.items, own.ats, own.values
    before = intent.score(*asked)
    warm(intent)
    assert intent.score(*asked) == before


def test_the_sample_comes_back_from_a_bundle_and_answers() -> None:
    made = sample()
    again = IntentModel.from_parts(made.arrays(), made.params())
    own = columns(4)
    asked = own.kinds, own.items, own.ats, own.values
    assert again.score(*asked) == made.score(*asked)
    assert made.glancer is not None


def test_networks_are_warmed_without_one() -> None:
    warm_network()
    assert compiled(recurrent.run_flat)
