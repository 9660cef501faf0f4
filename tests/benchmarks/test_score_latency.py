"""What the score benchmarks send: users of the home, bodies of the reference's size."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import score_latency
from benchmarks.harness import Arguments
from benchmarks.latency import BODY_BYTES
from benchmarks.scored_home import ScoredHome
from domain.errors import TooLittleData

HOME: Any = ScoredHome(Path(), ["a b", "c"], ["s1", "s2", "s3"])


def test_every_customer_is_asked_about_in_turn() -> None:
    paths = {
        score_latency.churn_request(HOME, number).split(b" ")[1].decode() for number in range(20)
    }
    assert paths == {"/v1/churn/a%20b", "/v1/churn/c"}


def test_every_question_about_a_shopper_has_the_size_of_the_reference() -> None:
    for number in (0, 1, 2, 12_345):
        head, _, body = score_latency.intent_request(HOME, number).partition(b"\r\n\r\n")
        assert len(body) == BODY_BYTES
        assert json.loads(body)["user"] in HOME.shoppers
        assert head.startswith(b"POST /v1/intent ")


def test_without_the_logs_it_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(TooLittleData):
        score_latency.run(Arguments(tmp_path))
