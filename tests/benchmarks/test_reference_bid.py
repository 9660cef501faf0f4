"""The reference is given the very request that is bid on, and reads all of it."""

import asyncio
import json

import pytest
from pydantic import ValidationError

from benchmarks.bid_home import request
from benchmarks.reference_bid import BidRequest, BidResponse, app, reference


def test_it_answers_what_is_bid_on() -> None:
    asked = BidRequest.model_validate_json(request(7, 17))
    wanted = BidResponse(id="auction-000000000007", cur="USD")
    assert asyncio.run(reference(asked)) == wanted
    assert [route.path for route in app.routes if "POST" in getattr(route, "methods", ())] == [
        "/reference"
    ]


def test_every_field_of_the_request_is_read() -> None:
    sent = json.loads(request(7, 17))
    read = BidRequest.model_validate(sent).model_dump(exclude_unset=True)
    assert read == sent


def test_what_is_no_request_is_refused() -> None:
    with pytest.raises(ValidationError):
        BidRequest.model_validate_json("{}")
