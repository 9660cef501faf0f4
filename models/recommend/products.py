"""Products of many 16-bit vectors with one, as fast as the processor multiplies.

Processors multiply whole numbers of 16 bits in pairs and add the pairs to 32 bits in one
instruction. Compiled loops find it only along a row, where each row then ends in a slow sum over
lanes; here the vectors of LANES items lie across the lanes and no such sum is left. Written as
generic vector code: every processor gets its own form of it. Knows nothing of items.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 128
"""Vectors multiplied together: 64, 32 and 16 took 1.7 to 1.9 times as long."""
_LINE = 64
"""Bytes of a cache line."""

Whole = npt.NDArray[np.int16]


def arranged(rows: Whole) -> Whole:
    """Answer int16[n, d], d even, as int16[b, d / 2, 2 * LANES]: pairs of LANES vectors.

    Places beyond n are zero. The array begins at a cache line.
    """
    n, d = rows.shape
    count = -(-n // LANES)
    room = np.zeros(count * LANES * d * 2 + _LINE, np.uint8)
    start = -room.ctypes.data % _LINE
    blocks = room[start : start + count * LANES * d * 2].view(np.int16)
    blocks = blocks.reshape(count, d // 2, LANES, 2)
    filled = np.zeros((count * LANES, d), np.int16)
    filled[:n] = rows
    blocks[:] = filled.reshape(count, LANES, d // 2, 2).transpose(0, 2, 1, 3)
    return blocks.reshape(count, d // 2, 2 * LANES)


_WORD, _SUM = ir.IntType(64), ir.IntType(32)
_SUMS = ir.VectorType(_SUM, LANES)
_HALVES = ir.VectorType(ir.IntType(16), 2 * LANES)
_PRODUCTS = ir.VectorType(_SUM, 2 * LANES)


def _spread(builder: Any, pair: ir.Value) -> ir.Value:
    """Put one pair beside every vector's."""
    unset = ir.Constant(_SUMS, ir.Undefined)
    first = builder.insert_element(unset, pair, ir.Constant(_SUM, 0))
    everywhere = builder.shuffle_vector(first, unset, ir.Constant(_SUMS, [0] * LANES))
    return builder.bitcast(everywhere, _HALVES)


def _added(builder: Any, rows: ir.Value, pair: ir.Value) -> ir.Value:
    """Multiply, and add what lies in even places to what lies in odd ones."""
    product = builder.mul(builder.sext(rows, _PRODUCTS), builder.sext(pair, _PRODUCTS))
    unset = ir.Constant(_PRODUCTS, ir.Undefined)
    even, odd = (ir.Constant(_SUMS, list(range(k, 2 * LANES, 2))) for k in (0, 1))
    return builder.add(
        builder.shuffle_vector(product, unset, even), builder.shuffle_vector(product, unset, odd)
    )


def _multiplying(typingctx: Any, blocks: Any, pairs: Any, block: Any, out: Any) -> Any:
    """Write to block's part of int32[n] the products with int32[d / 2] pairs of 16 bits."""
    signature = types.void(blocks, pairs, block, out)

    def generate(context, builder, signature, arguments):
        given, wanted, written = (
            context.make_array(signature.args[k])(context, builder, arguments[k]) for k in (0, 1, 3)
        )
        place = context.cast(builder, arguments[2], signature.args[2], types.intp)
        length = builder.extract_value(wanted.shape, 0)
        step = ir.Constant(_WORD, 2 * LANES)
        first = builder.mul(place, builder.mul(length, step))
        total = cgutils.alloca_once_value(builder, ir.Constant(_SUMS, [0] * LANES))
        with cgutils.for_range(builder, length, intp=_WORD) as loop:
            start = builder.gep(given.data, [builder.add(first, builder.mul(loop.index, step))])
            rows = builder.load(builder.bitcast(start, _HALVES.as_pointer()))
            rows.align = 2
            pair = _spread(builder, builder.load(builder.gep(wanted.data, [loop.index])))
            more = _added(builder, rows, pair)
            builder.store(builder.add(builder.load(total), more), total)
        end = builder.gep(written.data, [builder.mul(place, ir.Constant(_WORD, LANES))])
        kept = builder.store(builder.load(total), builder.bitcast(end, _SUMS.as_pointer()))
        kept.align = 4
        return context.get_dummy_value()

    return signature, generate


_multiply: Any = intrinsic(_multiplying)


@njit(cache=True, nogil=True, error_model="numpy")
def multiply(blocks: np.ndarray, vector: np.ndarray, out: np.ndarray) -> None:
    """Write the products of int16[n, d], as `arranged`, with int16[d] to float32[n].

    Products must stay within 32 bits.
    """
    pairs = vector.view(np.int32)
    sums = np.empty(blocks.shape[0] * LANES, np.int32)
    for block in range(blocks.shape[0]):
        _multiply(blocks, pairs, block, sums)
    for i in range(out.shape[0]):
        out[i] = sums[i]
