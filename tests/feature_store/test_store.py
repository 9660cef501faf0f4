from feature_store.memory import MemoryStore
from feature_store.redis.store import RedisStore
from feature_store.store import SLACK, SPARE, Appended, Store, StoreSettings


def test_every_store_has_every_method() -> None:
    promised = {name for name in vars(Store) if not name.startswith("_")}
    assert "append" in promised
    for store in (MemoryStore, RedisStore):
        assert promised <= {name for name in dir(store) if not name.startswith("_")}


def test_accepted_is_true_and_duplicate_is_not() -> None:
    assert [bool(each) for each in Appended] == [False, True]


def test_the_documented_defaults() -> None:
    settings = StoreSettings()
    assert (settings.history_cap, settings.buckets, settings.remember) == (512, 64, 8_192)
    assert 0 < SPARE < SLACK
