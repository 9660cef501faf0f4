"""MovieLens 100K: ratings with times; films with genres, year and people; users with age and work.

Who made a film, and where, comes from the set's excerpt of Freebase where it lies beside the
films; names there are Freebase's ids.
"""

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from training.importing.presets.preset import Preset, Table
from training.importing.readers import TextOptions, read_rows

_TAB = TextOptions(delimiter="\t")
_RELATIONS = {
    "directed_by": "directors",
    "written_by": "writers",
    "produced_by": "producers",
    "cinematography": "camera",
    "production_companies": "companies",
    "country": "countries",
    "language": "languages",
    "rating": "rated",
    "genre": "genres",
    "subjects": "subjects",
    "sequel": "sequels",
    "prequel": "prequels",
    "actor": "actors",
}
"""Freebase's relation of a film → the attribute it becomes. Awards are left out: they are given
after a film is out, and tell how it was received."""


def read_films(path: Path) -> Iterator[pl.DataFrame]:
    """Read the films, with a list of ids for each relation that Freebase knows; null for none."""
    links, triples = path.with_name("ml-100k.link"), path.with_name("ml-100k.kg")
    told = pl.DataFrame(
        schema={
            "item_id:token": pl.String,
            **dict.fromkeys(_RELATIONS.values(), pl.List(pl.String)),
        }
    )
    if links.is_file() and triples.is_file():
        told = _relations(
            pl.concat(list(read_rows(links, _TAB))), pl.concat(list(read_rows(triples, _TAB)))
        )
    for frame in read_rows(path, _TAB):
        yield frame.join(told, on="item_id:token", how="left", maintain_order="left")


def _relations(links: pl.DataFrame, triples: pl.DataFrame) -> pl.DataFrame:
    """Answer a row for each film that is linked, with a list for each relation."""
    told = links.select("item_id:token", "entity_id:token")
    for relation, name in _RELATIONS.items():
        some = triples.filter(pl.col("relation_id:token") == f"film.film.{relation}")
        lists = some.group_by("head_id:token").agg(
            pl.col("tail_id:token").unique(maintain_order=True).alias(name)
        )
        told = told.join(lists, left_on="entity_id:token", right_on="head_id:token", how="left")
    return told.drop("entity_id:token").unique("item_id:token", keep="first", maintain_order=True)


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
        read=read_films,
        columns={
            "item": pl.col("item_id:token"),
            "title": pl.col("movie_title:token_seq"),
            "categories": pl.col("class:token_seq").str.split(" "),
            "year": pl.col("release_year:token").cast(pl.Float64, strict=False),
            **{name: pl.col(name) for name in _RELATIONS.values()},
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
