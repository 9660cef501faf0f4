"""The contract on requests drawn from the tables, and on the public ones where they are."""

import asyncio

import pytest

from benchmarks import bid_contract
from benchmarks.bid_contract import Case, cases_of, drawn_cases, measure
from benchmarks.harness import Arguments, data_folder

DATA = data_folder(None)
needs_data = pytest.mark.skipif(
    DATA is None or not (DATA / "openrtb").is_dir(), reason="the public requests are not here"
)


@pytest.mark.parametrize("seed", [1, 2])
def test_drawn_requests_break_no_rule_and_wrong_ones_are_refused(seed: int) -> None:
    groups = {"drawn": drawn_cases(120, 0, seed), "wrong": drawn_cases(0, 80, seed)}
    found = asyncio.run(measure(groups))
    for part in found.values():
        assert part.strange == []
        assert (part.server_errors, part.wrong_status, part.rules_broken) == (0, 0, 0)
    assert found["drawn"].bids >= 40
    assert found["drawn"].answered == 120
    assert sum(case.refused for case in groups["wrong"]) >= 60


def test_a_case_that_is_answered_otherwise_is_seen() -> None:
    good = drawn_cases(1, 0, 3)[0]
    found = asyncio.run(
        measure({"odd": [Case("refuse me", good.body, True), Case("answer me", b"{}", False)]})
    )["odd"]
    assert found.wrong_status == 2
    assert len(found.strange) == 2


@needs_data
def test_the_public_files_are_parted_by_what_they_lack() -> None:
    assert DATA is not None
    assert not any(case.refused for case in cases_of(DATA / "openrtb" / "requests"))
    refused = {case.name for case in cases_of(DATA / "openrtb" / "invalid") if case.refused}
    assert {"pbs_imp-empty-array", "pbs_native-empty", "pbs_video-empty", "pbs_tmax-negative",
            "pbs_regs-ext-malformed", "pbs_user-gdpr-consent-invalid"} <= refused  # fmt: skip
    assert "pbs_device-h-negative" not in refused


@needs_data
def test_the_whole_contract_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bid_contract, "DRAWN", 60)
    outcome = bid_contract.run(Arguments(DATA))
    assert outcome.holds, outcome.notes
    assert outcome.figures["drawn_requests"] == 60
