"""What a deployment chooses about bids: read from the environment, or the variable is named."""

from pathlib import Path

import pytest

from domain.currencies import REFERENCE
from service.bid_settings import BidSettings, bid_settings_from_env


def test_defaults() -> None:
    assert bid_settings_from_env({}) == BidSettings()
    assert BidSettings().rates is REFERENCE


def test_everything_can_be_chosen(tmp_path: Path) -> None:
    table = tmp_path / "rates.csv"
    table.write_text("Date,USD\n2026-11-01,1.25\n")
    chosen = bid_settings_from_env(
        {
            "SANDERLING_PUBLIC_URL": "https://bid.example", "SANDERLING_TCF_VENDOR": "755",
            "SANDERLING_BID_CAP_MS": "35.5", "SANDERLING_BID_MARGIN_MS": "4",
            "SANDERLING_BID_IN_FLIGHT": "9", "SANDERLING_BID_OPEN": "2",
            "SANDERLING_BID_HOLD_S": "60", "SANDERLING_AUCTION_TYPES": "500=first, 501=second",
            "SANDERLING_RATES": str(table), "SANDERLING_BID_WHOLE_CHAIN": "1",
            "SANDERLING_BLOCKED_NODES": "Bad.example, worse.test,",
        }
    )  # fmt: skip
    assert (chosen.public, chosen.vendor) == ("https://bid.example", 755)
    assert (chosen.cap_ms, chosen.margin_ms, chosen.in_flight) == (35.5, 4.0, 9)
    assert (chosen.open_bids, chosen.hold_s, chosen.whole_chain) == (2, 60, True)
    assert chosen.special == {500: 1, 501: 2}
    assert chosen.rates.per_euro == {"EUR": 1_000_000, "USD": 1_250_000}
    assert chosen.rates.source == "rates.csv"
    assert chosen.blocked_nodes == {"bad.example", "worse.test"}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("SANDERLING_PUBLIC_URL", "bid.example"), ("SANDERLING_PUBLIC_URL", "https://a b"),
        ("SANDERLING_TCF_VENDOR", "x"), ("SANDERLING_TCF_VENDOR", "-1"),
        ("SANDERLING_BID_CAP_MS", "5"), ("SANDERLING_BID_CAP_MS", "nan"),
        ("SANDERLING_BID_MARGIN_MS", "-1"), ("SANDERLING_BID_IN_FLIGHT", "0"),
        ("SANDERLING_BID_OPEN", "1.5"), ("SANDERLING_BID_HOLD_S", "29"),
        ("SANDERLING_AUCTION_TYPES", "499=first"), ("SANDERLING_AUCTION_TYPES", "500=third"),
        ("SANDERLING_AUCTION_TYPES", "first"), ("SANDERLING_RATES", "/no/such/file"),
        ("SANDERLING_BID_WHOLE_CHAIN", "yes"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_named(name: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=name):
        bid_settings_from_env({name: wrong})
