import json

from domain.scores import Band, Direction, Reason, Score


def test_a_score_is_the_models_own_unless_it_says_otherwise():
    score = Score(0.3, 0.8, 1_700_000_000_000)
    assert (score.model, score.fallback) == ("", None)
    assert score._replace(fallback="base_rate").fallback == "base_rate"


def test_bands_go_from_least_to_most():
    assert [band.value for band in Band] == ["low", "medium", "high"]


def test_words_are_plain_text_in_json():
    assert json.loads(json.dumps([Band.high, Direction.raises])) == ["high", "raises"]


def test_a_reason_may_lack_numbers():
    reason = Reason("recency", "never ordered", Direction.raises, 1.0)
    assert (reason.value, reason.reference, reason.contribution) == (None, None, 0.0)
