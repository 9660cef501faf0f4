"""From a log to a draft: categories come from the store, settings travel, the card speaks."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.ids import hash64
from domain.items import Item
from feature_store.memory import MemoryStore
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.bundle import Draft
from models.intent.categories import category_code
from tests.training.fit.intent.shop import END, QUICK, history_of
from training.fit.intent import aggregates
from training.fit.intent.drafting import categories_from_env, draft_of, fit_log, read_categories
from training.logbook import Log


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A deployment whose catalogue holds one item."""
    folder = tmp_path_factory.mktemp("catalogue")

    async def put() -> None:
        store = await open_store(StoreSettings(buckets=4), Home(folder))
        try:
            await store.put_items([Item("item-1", categories=("shoes", "sale"))])
        finally:
            await store.close()

    asyncio.run(put())
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("REDIS_URL", raising=False)
        patch.setenv("SANDERLING_BUCKETS", "4")
        patch.setenv("SANDERLING_HOME", str(folder))
        patch.setattr(aggregates, "TREES", (10,))
        patch.setattr(aggregates, "LEAVES", (4,))
        yield folder


@pytest.fixture(scope="module")
def draft(home: Path) -> Draft:
    log = Log(history_of(), (), "made up")
    chosen = {**QUICK, "epochs": 1, "horizon_hours": 12.0}
    fitted, settings = fit_log(log, chosen, END)
    return draft_of(log, fitted, settings, END)


async def test_an_item_has_the_code_of_its_first_category() -> None:
    store = MemoryStore()
    await store.put_items([Item("a", categories=("shoes", "sale")), Item("b")])
    assert await read_categories(store) == {hash64("a"): category_code("shoes")}


def test_categories_are_those_of_the_deployment(home: Path) -> None:
    assert categories_from_env() == {hash64("item-1"): category_code("shoes")}


def test_the_question_is_in_settings_and_params(draft: Draft) -> None:
    assert draft.family == "intent"
    for where in (draft.settings, draft.params["definition"]):
        assert where["target"] == "purchase"
        assert where["horizon_hours"] == 12.0
    assert draft.settings["fit"]["width"] == QUICK["width"]
    assert draft.settings["tuned"]["champion"] == draft.params["champion"]


def test_the_card_says_what_it_is_and_how_it_was_tested(draft: Draft) -> None:
    text = draft.texts["card.md"]
    assert "# Intent" in text
    assert "event_3_auc" in text
    assert "majority" in text
    assert "confidence of one half" in text


def test_no_id_is_in_the_draft(draft: Draft) -> None:
    assert "user-" not in str(draft.golden) + draft.texts["card.md"]
    assert draft.golden.rows


def test_the_split_says_what_was_tested_when(draft: Draft) -> None:
    split = draft.data.split
    assert split["test_from"] < split["until"]
    assert split["test_rows"] > 100


def test_the_rules_of_sessions_are_signed(draft: Draft) -> None:
    assert draft.views.keys() == {"session"}
