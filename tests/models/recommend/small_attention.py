"""A small block of attention with random weights, and a naive oracle of it."""

import numpy as np

from models.recommend.attention import EPSILON, Dims, layout, time_class

DIMS = Dims(width=8, heads=2, inner=12, ages=6, reach=5, kinds=4)


def random_parts(dims=DIMS, seed=0):
    rng = np.random.default_rng(seed)
    return {
        name: rng.normal(0, 0.5, shape).astype(np.float32) for name, shape in layout(dims).items()
    }


def random_vectors(n=20, dims=DIMS, seed=1):
    return np.random.default_rng(seed).normal(0, 1, (n, dims.width)).astype(np.float32)


def norm(x, gain_shift):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + EPSILON)
    return x * gain_shift[0] + gain_shift[1]


def every_place(parts, dims, table, indices, days, kinds):
    """Answer the vector after each event, [h, d]: plain attention, a triangle of scores.

    At every place the next is asked for when the next event comes, at the last when asked.
    """
    p = {name: part.astype(float) for name, part in parts.items()}
    h, each = len(indices), dims.width // dims.heads
    asked = np.append(days[1:], np.float32(0))
    gaps = [time_class(one, dims.ages) for one in days - asked]
    x = table[indices].astype(float) + p["gap"][gaps] + p["kind"][np.minimum(kinds, dims.kinds - 1)]
    y = norm(x, p["norm_in"])
    query, key = y @ p["query"] + p["query_bias"], y @ p["key"].T
    value = y @ p["value"] + p["value_bias"]
    out = np.empty((h, dims.width))
    for i in range(h):
        mixed = []
        for head in range(dims.heads):
            own = slice(head * each, (head + 1) * each)
            scores = np.array(
                [
                    query[i, own] @ key[j, own]
                    + p["back"][head, min(i - j, dims.reach - 1)]
                    + p["age"][head, time_class(days[j] - asked[i], dims.ages)]
                    for j in range(i + 1)
                ]
            )
            share = np.exp(scores - scores.max())
            mixed.append(share / share.sum() @ value[: i + 1, own])
        z = x[i] + np.concatenate(mixed) @ p["join"] + p["join_bias"][0]
        wide = np.maximum(norm(z, p["norm_mid"]) @ p["up"] + p["up_bias"][0], 0)
        out[i] = norm(z + wide @ p["down"] + p["down_bias"][0], p["norm_out"])
    return out
