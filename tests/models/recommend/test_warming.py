import numba
import numpy as np
import pytest

from domain.events import Kind
from models.recommend import hearing, topk
from models.recommend.ask import NOBODY, Ask, Origin, remembered
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.policy import recommend
from models.recommend.warming import warm
from tests.golden.shop import NOW, shop_desk, shop_model
from tests.models.recommend.small import ranked_model


@pytest.mark.parametrize(
    "desk", [Desk(Catalogue()), shop_desk(), shop_desk(shop_model()), shop_desk(shop_model(), ())]
)
def test_warming_changes_no_answer(desk):
    before = recommend(desk, Ask(k=50), NOBODY, NOW)
    revision = desk.catalogue.revision
    warm(desk)
    assert recommend(desk, Ask(k=50), NOBODY, NOW) == before
    assert desk.catalogue.revision == revision


def test_a_plain_question_of_somebody_with_a_history_runs_no_code_that_was_not_warmed(monkeypatch):
    """Code is compiled for the types it is given: what may not be written to is another type."""
    seen: list[tuple[str, object]] = []

    def watch(module, name):
        kernel = getattr(module, name)

        def told(*given):
            seen.append((name, tuple(map(numba.typeof, given))))
            return kernel(*given)

        monkeypatch.setattr(module, name, told)

    watch(hearing, "_hear")
    watch(topk, "_take")
    watch(topk, "_take_known")
    model = ranked_model()
    desk = Desk(Catalogue(model.items, model.hashes), model, "m")
    warm(desk)
    warmed = set(seen)
    seen.clear()
    kinds, ats = np.full(3, Kind.purchase, np.uint8), np.arange(3, dtype=np.int64)
    asker = remembered(Origin.user, model.hashes[5:8], kinds, ats, 512)
    recommend(desk, Ask(k=5), asker, NOW)
    assert {name for name, _ in seen} >= {"_hear", "_take_known"}
    assert set(seen) <= warmed
