"""What may be chosen about learning the transformer; every default is stated here.

Knows nothing of how a choice is carried out.
"""

from typing import Any

START: dict[str, Any] = {
    "width": 64,
    "heads": 2,
    "inner": 256,
    "dropout": 0.4,
    "rate": 8e-3,
    "epochs": 12,
    "patience": 2,
    "tokens": 1024,
    "negatives": 1024,
    "popular": 0.5,
    "all_below": 4_096,
    "length": 200,
    "days": 180.0,
    "seconds": 150.0,
    "traits": True,
}
"""Numbers that suit logs of 50,000 to 400,000 events on one or two cores; see `learn.learn`.

length, days: also how much of a history serving looks at. traits: whether the catalogue is
heard. seconds: for one learning of one log, None for as long as it takes.
"""
