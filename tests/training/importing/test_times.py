"""Times: the same moment however it is written, and null where there is none."""

from datetime import UTC, date, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ScientistError
from domain.events import parse_at
from training.importing.times import check_zone, to_ms

MOMENT = datetime(2020, 7, 1, 10, 30, tzinfo=UTC)
MS = int(MOMENT.timestamp() * 1000)


@pytest.mark.parametrize(
    ("column", "unit"),
    [
        (["2020-07-01T10:30:00Z"], "auto"),
        (["2020-07-01T12:30:00+02:00"], "iso"),
        (["2020-07-01 10:30"], "auto"),
        ([str(MS)], "auto"),
        ([str(MS // 1000)], "auto"),
        ([f" {MS // 1000}.0 "], "s"),
        ([MS], "auto"),
        ([MS // 1000], "s"),
        ([MS * 1000], "us"),
        ([MS * 1_000_000], "ns"),
        ([MS / 1000], "auto"),
        ([MOMENT], "auto"),
        ([MOMENT.astimezone(timezone(timedelta(hours=5)))], "auto"),
        ([MOMENT.replace(tzinfo=None)], "iso"),
    ],
)
def test_one_moment_in_every_writing(column: list[object], unit: str) -> None:
    assert to_ms(pl.Series(column), unit).to_list() == [MS]


def test_a_stated_format() -> None:
    written = pl.Series(["01/07/2020 10:30", "07/2020", None])
    assert to_ms(written, form="%d/%m/%Y %H:%M").to_list() == [MS, None, None]


def test_days_are_their_midnight_in_the_zone() -> None:
    days = pl.Series([date(2020, 7, 1)])
    assert to_ms(days).to_list() == [MS - 10 * 3_600_000 - 30 * 60_000]
    assert to_ms(days, zone="Asia/Shanghai").to_list() == [MS - 18 * 3_600_000 - 30 * 60_000]


@pytest.mark.parametrize("typed", [True, False])
def test_local_times_that_the_clocks_skipped_or_repeated(typed: bool) -> None:
    local = ["2020-03-29 02:30:00", "2020-10-25 02:30:00", "2020-07-01 12:30:00"]
    column = pl.Series(local)
    if typed:
        column = column.str.to_datetime("%Y-%m-%d %H:%M:%S")
    earlier = int(datetime(2020, 10, 25, 0, 30, tzinfo=UTC).timestamp() * 1000)
    assert to_ms(column, zone="Europe/Berlin").to_list() == [None, earlier, MS]


def test_a_stated_offset_wins_over_the_zone() -> None:
    mixed = pl.Series(["2020-07-01T10:30:00Z", "2020-07-01T12:30:00"])
    assert to_ms(mixed, zone="Europe/Berlin").to_list() == [MS, MS]


def test_what_is_no_time_is_null() -> None:
    written = ["", None, "soon", "2020-13-01", "nan", "inf", str(MS)]
    assert to_ms(pl.Series(written)).to_list() == [None] * 6 + [MS]


@given(
    st.datetimes(timezones=st.just(UTC))
    .filter(lambda moment: 1970 < moment.year < 2100)
    .map(lambda moment: moment.replace(tzinfo=None).isoformat())
    | st.integers(0, 4 * 10**9).map(str)
    | st.integers(10**11, 4 * 10**12).map(str)
)
def test_text_means_what_it_means_at_the_http_door(text: str) -> None:
    assert to_ms(pl.Series([text, "x"])).to_list()[0] == parse_at(text, 0)


def test_a_date_without_dashes_is_a_number_unless_told() -> None:
    dates = pl.Series(["20200701", "2020-07-01"])
    day = MS - 10 * 3_600_000 - 30 * 60_000
    assert to_ms(dates).to_list() == [20_200_701_000, day]
    assert to_ms(dates, "iso").to_list() == [day, day]


def test_numbers_cannot_be_iso_and_spans_are_no_moments() -> None:
    with pytest.raises(ScientistError, match="cannot be iso"):
        to_ms(pl.Series([1]), "iso")
    with pytest.raises(ScientistError, match="not a moment"):
        to_ms(pl.Series([timedelta(1)]))


def test_zones_are_checked() -> None:
    assert check_zone("Europe/Berlin") == "Europe/Berlin"
    for wrong in ("Mars/Olympus", "", "../etc"):
        with pytest.raises(ScientistError, match="no such time zone"):
            check_zone(wrong)
