import pytest

from models.recommend.ask import NOBODY, Ask
from models.recommend.catalogue import Catalogue
from models.recommend.desk import Desk
from models.recommend.policy import recommend
from models.recommend.warming import warm
from tests.golden.shop import NOW, shop_desk, shop_model


@pytest.mark.parametrize(
    "desk", [Desk(Catalogue()), shop_desk(), shop_desk(shop_model()), shop_desk(shop_model(), ())]
)
def test_warming_changes_no_answer(desk):
    before = recommend(desk, Ask(k=50), NOBODY, NOW)
    revision = desk.catalogue.revision
    warm(desk)
    assert recommend(desk, Ask(k=50), NOBODY, NOW) == before
    assert desk.catalogue.revision == revision
