"""Every worker's lessons have a number; the dead are forgotten, and there are never too many."""

from models.bandits.teachers import MOST_WORKERS, WORKER_MS, number_of, signed

NOW = 1_760_000_000_000


def test_the_last_number_of_each_counts():
    told = signed(signed({}, "a", 1, NOW), "b", 7, NOW + 1)
    told = signed(told, "a", 2, NOW + 2)
    assert (number_of(told, "a"), number_of(told, "b"), number_of(told, "c")) == (2, 7, 0)


def test_the_dead_are_forgotten_and_the_latest_are_kept():
    told = signed(signed({}, "old", 1, NOW), "new", 1, NOW + WORKER_MS)
    assert set(told) == {"new"}
    many = {f"w{n}": (1, NOW + n) for n in range(MOST_WORKERS)}
    kept = signed(many, "last", 1, NOW + MOST_WORKERS)
    assert len(kept) == MOST_WORKERS
    assert "last" in kept
    assert "w0" not in kept
    assert "w1" in kept
