"""Creatives made ready: by which names they are blocked, and which are just alike."""

from domain.campaigns import Media
from tests.service.openrtb.making import creative, ready, video


def test_a_domain_is_blocked_by_every_domain_above_it() -> None:
    one = ready(domains=("www.Shop.example", "tea.test"))
    assert one.domains[0] == {"www.shop.example", "shop.example", "example"}
    assert one.names == {"www.shop.example", "shop.example", "example", "tea.test", "test"}


def test_a_category_lies_in_another_only_where_names_show_it() -> None:
    assert ready(categories=("IAB3-1", "IAB19")).all_categories == {"IAB3-1", "IAB3", "IAB19"}
    assert ready(categories=("53-1",), taxonomy=2).all_categories == {"53-1"}


def test_what_can_be_skipped_has_the_attribute() -> None:
    assert ready(attributes=(3,)).attributes == {3}
    assert ready(video(skippable=True)).attributes == {16}


def test_a_picture_alone_becomes_a_banner_that_links() -> None:
    one = ready(markup="", image="https://c/i.png?a=1&b=2", click='https://s/"x')
    assert one.markup == (
        '<a href="https://s/&quot;x" target="_blank" rel="noopener">'
        '<img src="https://c/i.png?a=1&amp;b=2" width="300" height="250" alt=""></a>'
    )
    assert ready(markup="", image="https://c/i.png", click="").markup == ""
    assert ready(video(markup="", image="https://c/i.png")).markup == ""


def test_alike_is_what_no_rule_can_tell_apart() -> None:
    one, same = ready(creative="a"), ready(creative="b", markup="<i>")
    assert one.brand is same.brand
    assert one.shape is same.shape
    assert ready(seat="s").brand is not ready(seat="t").brand
    brands = {
        "domains": ("other.example",), "categories": ("IAB1",), "taxonomy": 2, "language": "de",
        "bundle": "com.game", "markup": "",
    }  # fmt: skip
    shapes = {
        "width": 301, "mime": "image/gif", "kind": 3, "attributes": (1,), "apis": (5,),
        "secure": False, "expands": True, "duration_ms": 5, "protocol": 3, "bitrate": 7,
        "linear": False, "skippable": True,
    }  # fmt: skip
    for changes, name, other in ((brands, "brand", "shape"), (shapes, "shape", "brand")):
        changed = [ready(**{field: value}) for field, value in changes.items()]
        alike = {id(getattr(each, name)) for each in (one, *changed)}
        assert len(alike) == len(changes) + 1
        assert {id(getattr(each, other)) for each in (one, *changed)} == {id(getattr(one, other))}


def test_native_markup_is_part_of_the_rules() -> None:
    one, other = (creative(media=Media.native, markup=text) for text in ("{}", "[]"))
    assert ready(one).shape is not ready(other).shape
