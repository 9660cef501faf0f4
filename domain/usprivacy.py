"""The US Privacy String: four characters that say whether a sale was opted out of.

Source: IAB, "U.S. Privacy String" (CCPA compliance framework), version 1.
"""

_NOTICES = frozenset("YN-")


def opted_out(text: str) -> bool | None:
    """Tell whether a US Privacy String opts out of sale; None when it is none of version 1.

    "1---" says that the law does not apply, which is no opt-out.
    """
    if len(text) != 4 or text[0] != "1" or not _NOTICES.issuperset(text[1:].upper()):
        return None
    return text[2] in "Yy"
