"""Macros in markup: ours are replaced here, the exchange's pass through untouched.

Ours: ${BID_ID}, ${IMPRESSION_ID}, ${CAMPAIGN_ID}, ${LINE_ID}, ${CREATIVE_ID}, ${CLICK_URL},
${CREATIVE_WIDTH}, ${CREATIVE_HEIGHT}; each also with a suffix :URL, percent-encoded. Source of
the exchange's: IAB Tech Lab, OpenRTB 2.6, section 4.4.
"""

import re
from functools import lru_cache
from urllib.parse import quote

from domain.opportunities import Bid

KEPT = 8_192
_OURS = (
    "BID_ID", "IMPRESSION_ID", "CAMPAIGN_ID", "LINE_ID", "CREATIVE_ID", "CLICK_URL",
    "CREATIVE_WIDTH", "CREATIVE_HEIGHT",
)  # fmt: skip
_MACRO = re.compile(r"\$\{(" + "|".join(_OURS) + r")(:URL)?\}")


@lru_cache(maxsize=KEPT)
def _parts(markup: str) -> tuple[str, ...]:
    """Cut markup into text, name, suffix, text, name, suffix … text."""
    return tuple(part or "" for part in _MACRO.split(markup))


def fill(markup: str, bid: Bid) -> str:
    """Answer the markup of a bid with our macros replaced; every other one stays."""
    parts = _parts(markup)
    if len(parts) == 1:
        return markup
    values = {
        "BID_ID": bid.id,
        "IMPRESSION_ID": bid.opportunity,
        "CAMPAIGN_ID": bid.campaign,
        "LINE_ID": bid.line,
        "CREATIVE_ID": bid.creative.creative,
        "CLICK_URL": bid.creative.click,
        "CREATIVE_WIDTH": str(bid.w or bid.creative.width),
        "CREATIVE_HEIGHT": str(bid.h or bid.creative.height),
    }
    out = [parts[0]]
    for place in range(1, len(parts), 3):
        value = values[parts[place]]
        out.append(quote(value, safe="") if parts[place + 1] else value)
        out.append(parts[place + 2])
    return "".join(out)
