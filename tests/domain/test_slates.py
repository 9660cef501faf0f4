from domain.slates import Fallback, Ranked, Slate, Source, Sources


def test_fallbacks_are_ordered_from_best_to_last_resort() -> None:
    assert list(Fallback) == [
        "session", "similar", "segment", "trending", "popular", "newest",
    ]  # fmt: skip


def test_a_slate_is_personal_unless_it_says_otherwise() -> None:
    slate = Slate(
        ("tea",), (0.5,), (Sources((Source("item_graph", 1.0, ("pot",)),)),), (None,), (True,)
    )
    assert slate.fallback is None
    assert slate.items[0].sources[0].because == ("pot",)
    assert Ranked("tea", 1.0).sources == ()


def test_sources_equal_a_tuple_of_them_and_keep_what_is_sent() -> None:
    one = Sources((Source("item_graph", 1.0),))
    assert one == (Source("item_graph", 1.0),)
    assert one.wire is None
    one.wire = b"[]"
    assert Sources(one).wire is None
