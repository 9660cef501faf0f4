"""Settling: how a worker treats its memory once everything is loaded.

Requests make and drop arrays of some hundred kilobytes each. Knows nothing of what is loaded.
"""

import ctypes
import gc
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""The parameters' numbers in glibc's malloc.h (mallopt(3))."""

KEPT_BYTES = 256 * 2**20
LARGEST_POOLED = 16 * 2**20


def settle_memory() -> bool:
    """Freeze what is loaded for the collector, and keep freed memory; tell if malloc obeyed.

    A full collection over a model and a catalogue stalls requests, so they are taken out of
    it. glibc hands every freed array of 128 KB back to the system and faults its pages in
    again at the next request; a recommendation over 12,000 items cost a third more for it.
    Elsewhere (macOS, musl) malloc is left alone.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    kept = mallopt(_TRIM_THRESHOLD, KEPT_BYTES)
    return bool(kept and mallopt(_MMAP_THRESHOLD, LARGEST_POOLED))
