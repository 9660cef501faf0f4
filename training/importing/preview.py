"""The first rows of a file as they would be read: what --dry-run shows.

Shows values, so it is for the person at the keyboard only. Knows nothing of storing.
"""

import polars as pl

from training.importing.checking import check_frame
from training.importing.readers import FAULT, ROW


def preview_events(frame: pl.DataFrame, rows: int, now_ms: int) -> str:
    """Answer the first rows with times in words, then what the checks say of the whole batch."""
    checked = check_frame(frame, now_ms)
    shown = frame.head(rows).with_columns(pl.from_epoch("at", "ms").alias("at"))
    lines = [_table(shown.drop("row"))]
    lines.append(
        f"of the first {frame.height:,} rows: {len(checked.events):,} would be accepted, "
        f"{len(checked.rejected):,} rejected"
    )
    for reject in checked.rejected[:rows]:
        place = f"{reject.field}: " if reject.field else ""
        lines.append(f"  row {reject.row:,}: {place}{reject.message} ({reject.code})")
    return "\n".join(lines)


def preview_rows(what: str, frame: pl.DataFrame, rows: int) -> str:
    """Answer the first rows of items, users or labels."""
    shown = frame.head(rows)
    return f"{what}\n" + _table(shown.drop([ROW, FAULT], strict=False))


def _table(frame: pl.DataFrame) -> str:
    # Columns without anything in them only take room.
    kept = [
        column.name
        for column in frame.get_columns()
        if column.null_count() < frame.height
        and not (column.dtype == pl.String and (column.fill_null("") == "").all())
    ]
    with pl.Config(
        tbl_cols=-1,
        tbl_rows=-1,
        tbl_width_chars=160,
        fmt_str_lengths=32,
        tbl_hide_dtype_separator=True,
    ):
        return str(frame.select(kept))
