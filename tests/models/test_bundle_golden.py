"""Golden rows reproduce, or the bundle is refused with the row and the place."""

import math

import pytest

from domain.errors import BundleRefused
from models.bundle import Draft, Golden, check_golden, write_bundle
from models.bundle_golden import difference


def bundle(tmp_path, rows, tolerance=0.0):
    return write_bundle(tmp_path, Draft("toy", 0, {}, {}, golden=Golden(rows, tolerance)))


ROWS = [{"input": n, "output": {"items": [n, n + 1], "scores": [n / 3], "by": "x"}} for n in (1, 2)]


def faithful(n):
    return {"items": [n, n + 1], "scores": [n / 3], "by": "x"}


def test_a_faithful_scorer_passes_every_row(tmp_path):
    assert check_golden(bundle(tmp_path, ROWS), faithful) == 2
    assert check_golden(bundle(tmp_path, []), faithful) == 0


def test_the_row_and_place_of_a_difference_are_named(tmp_path):
    def drifted(n):
        return faithful(n) if n == 1 else faithful(n) | {"scores": [0.5]}

    with pytest.raises(BundleRefused, match=r"golden row 1 .*output\.scores\[0\] is 0\.5"):
        check_golden(bundle(tmp_path, ROWS), drifted)


def test_a_scorer_that_fails_is_refused(tmp_path):
    with pytest.raises(BundleRefused, match=r"row 0 .*ZeroDivisionError"):
        check_golden(bundle(tmp_path, ROWS), lambda n: n // 0)


def test_the_stated_tolerance_is_kept_to(tmp_path):
    rows = [{"input": 0, "output": 100.0}]
    near = bundle(tmp_path, rows, 1e-6)
    assert check_golden(near, lambda _: 100.00009) == 1
    with pytest.raises(BundleRefused):
        check_golden(near, lambda _: 100.00011)
    with pytest.raises(BundleRefused):
        check_golden(bundle(tmp_path, rows), lambda _: math.nextafter(100.0, 0))


@pytest.mark.parametrize(
    ("wanted", "got", "place"),
    [
        ({"a": 1}, {"b": 1}, "other names"),
        ([1, 2], [1], "1 entries instead of 2"),
        ([[1.0], [2.0]], [[1.0], [3.0]], r"output[1][0] is 3.0"),
        (1, True, "output differs"),
        (1, 1.0, "output differs"),
        ("a", "b", "output differs"),
        (None, 0, "output differs"),
        (1.0, math.nan, "output is nan"),
        (1.0, "1.0", "output differs"),
        ([1], {"0": 1}, "output differs"),
    ],
)
def test_differences_are_found(wanted, got, place):
    assert place in difference(wanted, got, 1e-3)


def test_texts_never_appear_in_a_difference():
    assert "secret" not in difference({"user": "secret-a"}, {"user": "secret-b"}, 0)


def test_a_tuple_is_the_list_json_makes_of_it():
    assert difference([1, 2.0], (1, 2.0), 0) == ""
