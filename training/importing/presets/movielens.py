"""MovieLens 100K: ratings with times; films with genres and year; users with age and work."""

import polars as pl

from training.importing.presets.preset import Preset, Table
from training.importing.readers import TextOptions, read_rows

_TAB = TextOptions(delimiter="\t")


ML_100K = Preset(
    name="ml-100k",
    about="MovieLens 100K: 100,000 ratings of 1,682 films by 943 users",
    rule="a row is a rating event and its value the stars (1 to 5); times are epoch seconds, UTC",
    event_table=Table(
        files=("MovieLens100k_data.parquet.brotli", "MovieLens100k_data.parquet"),
        columns={
            "user": pl.col("user_id"),
            "kind": pl.lit("rating"),
            "item": pl.col("movie_id"),
            "at": pl.col("timestamp") * 1000,
            "value": pl.col("rating"),
        },
    ),
    item_table=Table(
        files=("ml-100k.item",),
        read=lambda path: read_rows(path, _TAB),
        columns={
            "item": pl.col("item_id:token"),
            "title": pl.col("movie_title:token_seq"),
            "categories": pl.col("class:token_seq").str.split(" "),
            "year": pl.col("release_year:token").cast(pl.Float64, strict=False),
        },
    ),
    user_table=Table(
        files=("ml-100k.user",),
        read=lambda path: read_rows(path, _TAB),
        columns={
            "user": pl.col("user_id:token"),
            "age": pl.col("age:token").cast(pl.Float64, strict=False),
            "gender": pl.col("gender:token"),
            "occupation": pl.col("occupation:token"),
        },
    ),
)
