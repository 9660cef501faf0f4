"""Facts of items come in the order of their numbers, whatever the catalogue lacks."""

import asyncio

import polars as pl

from domain.items import Item
from feature_store.opening import open_store
from feature_store.settings import Home
from feature_store.store import StoreSettings
from models.recommend.catalogue import NO_PRICE
from training.fit.facts import facts_of, items_of, no_items, read_items

MUG = Item(
    "mug", "Blue mug", ("kitchen",), {"brand": "Kiln", "sizes": ["s", "m"], "year": 1.0}, 5, False
)
PEN = Item("pen", created_at=7)


def test_columns_follow_the_numbers_and_gaps_stay_gaps():
    facts = facts_of(["pen", "unheard-of", "mug"], {"mug": MUG, "pen": PEN, "spare": MUG})
    assert (len(facts), facts.known) == (3, 2)
    assert facts.titles == ("", "", "Blue mug")
    assert facts.categories == ((), (), ("kitchen",))
    assert facts.attributes == (
        (), (), ("brand=t:Kiln", "sizes=t:s", "sizes=t:m", "year=n:1.0")
    )  # fmt: skip
    assert facts.prices.tolist() == [NO_PRICE, NO_PRICE, 5]
    assert facts.created.tolist() == [7, 0, 0]
    assert not no_items()


def test_frames_of_a_preset_become_items_without_a_store():
    frame = pl.DataFrame(
        {"item": ["a", "b"], "title": ["One", None], "tags": [["x", "y"], []], "price": [2.5, None]}
    )
    found = items_of([frame, frame.head(0)])
    assert found == {
        "a": Item("a", "One", (), {"tags": ["x", "y"]}, 2_500_000),
        "b": Item("b"),
    }


def test_the_stores_catalogue_is_read_whole(tmp_path):
    home = Home(tmp_path)

    async def fill() -> None:
        store = await open_store(StoreSettings(), home)
        await store.put_items([MUG, PEN])
        await store.delete_items(["pen"])
        await store.close()

    asyncio.run(fill())
    assert read_items(StoreSettings(), home, None) == {"mug": MUG}
