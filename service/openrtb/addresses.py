"""Internet addresses, truncated before anything else sees them: /24 of IPv4, /48 of IPv6.

Knows nothing of where they come from. Source: RFC 6235, section 4.1.1 (truncation).
"""

import re
from ipaddress import AddressValueError, IPv6Address

_V4 = re.compile(r"([0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3})\.[0-9]{1,3}").fullmatch


def truncated(v4: str | None, v6: str | None) -> str:
    """Answer the network an address belongs to, "" when there is no readable one."""
    if v4:
        found = _V4(v4)
        if found is not None:
            return found[1] + ".0"
    if v6:
        try:
            whole = int(IPv6Address(v6.partition("%")[0]))
        except AddressValueError:
            return ""
        return str(IPv6Address(whole >> 80 << 80))
    return ""
