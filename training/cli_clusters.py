"""`python -m training clusters`: groups of customers that the last sweep's features fall into.

Knows nothing of how clusters are found or told; see training.fit.clusters and cluster_words.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path

import numpy as np

from domain.clock import system_clock
from domain.conditions import text_of
from domain.errors import NotFound, OperatorError, ScientistError
from feature_store import segments
from feature_store.audiences import VOCABULARY, sweep_lookup
from feature_store.opening import open_store
from feature_store.store import Store
from feature_store.sweeps.durable import write_whole
from feature_store.sweeps.reading import Sweep, Sweeps
from training.desk import add_command, desk_from_env
from training.fit.cluster_words import Described, as_json, describe
from training.fit.clusters import COLUMNS, F64, Clustering, cluster

_ABOUT = """\
Group the customers of the last sweep by what they do; say in words what sets each group apart.

k-means on standardised columns of the feature views. How many groups there are is chosen by how far
the silhouette lies above that of shuffled columns, which is told beside it: near that, there are no
groups to speak of. A group that a short condition finds again can be saved as a segment.
"""
_EXAMPLES = """\
  python -m training clusters
  python -m training clusters --k 5 --out clusters.json
  python -m training clusters --save group          # as segments group-1, group-2 …
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `clusters` command."""
    add = add_command(subparsers, "clusters", _ABOUT, _EXAMPLES).add_argument
    add("--k", type=int, metavar="N", help="how many groups (default: chosen)")
    add("--seed", type=int, default=0, metavar="N", help="of the draws (default 0)")
    add("--out", type=Path, metavar="FILE.json", help="write the groups as JSON as well")
    add("--save", metavar="PREFIX", help="save the groups that a condition finds as segments")


def columns_of(sweep: Sweep) -> dict[str, F64]:
    """Answer the columns to cluster by; raises OperatorError for a sweep without features."""
    lookup = sweep_lookup(sweep)
    try:
        return {name: np.asarray(lookup(name), np.float64) for name in COLUMNS}
    except NotFound as error:
        raise OperatorError(error.message) from error


def told(found: Clustering, groups: list[Described], sweep: Sweep) -> list[str]:
    """Answer the clusters for people."""
    lines = [
        f"{len(found.label):,} users of sweep {sweep.summary.id}, {found.k} groups by "
        f"{len(found.space.names)} columns: silhouette {found.silhouettes[found.k]:.2f} "
        f"(in shuffled columns {found.null[found.k]:.2f})"
    ]
    for one in groups:
        lines.append(f"{one.number}. {one.users:,} users ({one.share:.0%}): {one.words}")
        if one.rule is None:
            lines.append("   no short condition finds them")
        else:
            lines.append(
                f"   {text_of(one.rule.condition)}\n   finds {one.rule.recall:.0%} of them; "
                f"{one.rule.precision:.0%} of those it finds are"
            )
    return lines


async def save(store: Store, prefix: str, groups: list[Described], now_ms: int) -> list[str]:
    """Save the groups that a condition finds; answer the segments' names."""
    names: list[str] = []
    for one in groups:
        if one.rule is not None:
            name = f"{prefix}-{one.number}"
            where = text_of(one.rule.condition)
            await segments.put(store, name, where, now_ms, about=one.words[:500])
            names.append(name)
    return names


async def _save(prefix: str, groups: list[Described]) -> list[str]:
    store = await open_store()
    try:
        return await save(store, prefix, groups, system_clock())
    finally:
        await store.close()


def run(args: argparse.Namespace) -> int:
    """Cluster; answer 0."""
    if args.save is not None and not segments.is_name(f"{args.save}-50"):
        raise ScientistError("--save takes a-z, 0-9, - and _, at most 61 of them")
    desk = desk_from_env()
    sweep = Sweeps(desk.home.sweeps / "churn").current()
    if sweep is None:
        raise OperatorError("no sweep yet: run `python -m training sweep churn`")
    columns = columns_of(sweep)
    found = cluster(columns, args.k, args.seed)
    groups = describe(found, columns, VOCABULARY)
    print("\n".join(told(found, groups, sweep)))
    if args.out is not None:
        written = {
            "sweep": sweep.summary.id,
            "as_of": sweep.summary.as_of,
            "columns": list(found.space.names),
            "silhouettes": {str(k): value for k, value in found.silhouettes.items()},
            "silhouettes_shuffled": {str(k): value for k, value in found.null.items()},
            "clusters": [as_json(one) for one in groups],
        }
        write_whole(args.out, json.dumps(written, indent=1).encode())
    if args.save is not None:
        names = asyncio.run(_save(args.save, groups))
        print("saved as segments: " + (", ".join(names) or "none"), file=sys.stderr)
    return 0
