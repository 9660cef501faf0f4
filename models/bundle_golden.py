"""Golden rows: inputs and the outputs a model gave when it was fitted, kept in its bundle.

A scorer loaded from the bundle must give them again before it may answer anyone. Knows nothing
of what a row means: inputs go to the scorer's own `answer`, outputs are compared as JSON values.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from domain.errors import BundleRefused

if TYPE_CHECKING:
    from models.bundle import Bundle


@dataclass(slots=True, frozen=True)
class Golden:
    """Rows of {"input": …, "output": …}, JSON values both.

    `tolerance` is how far a float may be off, relative to the larger of 1 and its magnitude;
    0 asks for the very same number. Everything else must be equal.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    tolerance: float = 0.0


def difference(wanted: Any, got: Any, tolerance: float, place: str = "output") -> str:
    """Answer the first place where two JSON values differ, "" when they agree.

    Names places, never values that could be ids.
    """
    if isinstance(wanted, dict) and isinstance(got, dict):
        if wanted.keys() != got.keys():
            return f"{place} has other names"
        pairs = [(wanted[name], got[name], f"{place}.{name}") for name in wanted]
    elif isinstance(wanted, list | tuple) and isinstance(got, list | tuple):
        if len(wanted) != len(got):
            return f"{place} has {len(got)} entries instead of {len(wanted)}"
        pairs = [(wanted[i], got[i], f"{place}[{i}]") for i in range(len(wanted))]
    elif isinstance(wanted, float) and isinstance(got, float | int):
        near = math.isfinite(got) and abs(got - wanted) <= tolerance * max(1.0, abs(wanted))
        return "" if near else f"{place} is {got!r} instead of {wanted!r}"
    else:
        return "" if type(wanted) is type(got) and wanted == got else f"{place} differs"
    return next(
        (found for pair in pairs if (found := difference(*pair[:2], tolerance, pair[2]))), ""
    )


def check_golden(bundle: "Bundle", answer: Callable[[Any], Any]) -> int:
    """Give every golden input to `answer` and compare; answer how many rows were checked.

    Raises BundleRefused at the first row whose output is not what the model gave when it was
    fitted, or on which `answer` fails.
    """
    golden = bundle.golden
    for number, row in enumerate(golden.rows):
        try:
            found = difference(row["output"], answer(row["input"]), golden.tolerance)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            found = f"the scorer failed with {type(error).__name__}"
        if found:
            raise BundleRefused(
                f"bundle {bundle.family}/{bundle.version}: golden row {number} does not "
                f"reproduce ({found}); fit again with this release of the software, or run the "
                "release that fitted it"
            )
    return len(golden.rows)
