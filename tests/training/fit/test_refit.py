from training.fit.members import MEMBER_FITS
from training.fit.refit import last_of


def test_numbers_are_read_by_member():
    tuned = {
        "graph.decay": 0.9,
        "graph.window": 3,
        "graph.weight": 1.0,
        "popularity.half_life_days": None,
        "gone.decay": 0.5,
        "repeats": True,
        "alone": {"graph": 0.3, "popularity": 0.1, "gone": 0.2, "factors": 0.2},
    }
    found = last_of("v1", {"tuned": tuned, "fit": {}})
    assert found == {
        "version": "v1",
        "params": {
            "popularity": {"half_life_days": None},
            "graph": {"window": 3, "decay": 0.9},
        },
        "alone": {"popularity": 0.1, "graph": 0.3},
    }
    assert found["params"]["graph"].keys() <= MEMBER_FITS["graph"].start.keys()


def test_a_manifest_that_does_not_say_how_members_did_is_nothing_to_begin_from():
    assert last_of("v1", {}) == {}
    assert last_of("v1", {"tuned": {"graph.decay": 0.9}}) == {}
