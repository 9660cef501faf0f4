from redis.crc import key_slot

from domain.ids import bucket_of
from feature_store import keys


def test_keys_of_a_bucket_share_a_slot() -> None:
    for entity in ("uada", "u{other}", "s}{", "uö"):
        names = [
            keys.history(7, entity),
            keys.forgotten(7, entity),
            keys.profile(7, entity),
            keys.scores(7, entity),
            keys.link(7, entity),
            keys.carried(7, entity),
            keys.intake(7),
            keys.decisions(7),
        ]
        assert len({key_slot(name.encode()) for name in names}) == 1
        assert len(set(names)) == len(names)


def test_keys_of_the_catalogue_share_a_slot() -> None:
    names = [keys.ITEMS_DATA, keys.ITEMS_ORDER, keys.ITEMS_VERSION, keys.ITEMS_CHANGES]
    names.append(keys.staging("x"))
    assert len({key_slot(name.encode()) for name in names}) == 1


def test_names_are_part_of_the_stored_format() -> None:
    assert keys.history(3, "uada") == "h{3}uada"
    assert keys.intake(3) == "x{3}"
    assert keys.blob("a") == "b{blob}a"


def test_the_bucket_is_the_domains() -> None:
    assert [keys.bucket(f"u{n}", 64) for n in range(99)] == [
        bucket_of(f"u{n}", 64) for n in range(99)
    ]


def test_what_was_shown_is_in_buckets_too() -> None:
    assert keys.shown("b1", 8) == f"w{{{bucket_of('b1', 8)}}}b1"
    slots = {key_slot(keys.shown(f"b{n}", 8).encode()) for n in range(500)}
    assert len(slots) == 8, "a cluster reads many with eight commands"
