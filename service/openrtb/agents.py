"""User agents that say of themselves that they are programs: known crawlers and libraries.

Only what is openly said; who pretends to be a browser is not found here.
"""

import re
from functools import lru_cache

KEPT = 16_384
MAX_TEXT = 1_024
_ROBOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|phantomjs|selenium|^curl/|^wget/|^python-|^java/"
    r"|^go-http-client|^okhttp$|mediapartners-google|facebookexternalhit|lighthouse",
    re.IGNORECASE,
)


@lru_cache(maxsize=KEPT)
def is_robot(agent: str) -> bool:
    """Tell whether a user agent names itself a program rather than a browser or an app."""
    return bool(agent) and _ROBOT.search(agent[:MAX_TEXT]) is not None
