"""Compiling to machine code: one decorator, one set of floating-point rules.

Fast maths stays off, so that an expression gives the same bits wherever it is inlined; the
code is cached on disk beside its module. Knows nothing of what it compiles.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba  # pyright: ignore[reportMissingTypeStubs]

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile `function` with numba on its first call, for each kind of array it meets.

    IEEE 754 order of operations is kept (no contraction, no reassociation); dividing by
    zero gives infinity instead of an exception, as numpy does.
    """
    return numba.njit(cache=True, error_model="numpy", fastmath=False)(function)  # type: ignore[return-value]
