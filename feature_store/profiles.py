"""How a change of a profile is merged: one rule for every store.

Pure; knows nothing of where profiles are kept.
"""

from typing import Any

from domain.users import Profile


def _merged(before: dict[str, Any], changes: dict[str, Any] | None) -> dict[str, Any]:
    if not changes:
        return before
    after = before | changes
    return {name: value for name, value in after.items() if value is not None}


def merge_profile(
    before: Profile,
    now_ms: int,
    attributes: dict[str, Any] | None = None,
    consent: dict[str, bool | None] | None = None,
    test: bool | None = None,
) -> Profile:
    """Answer `before` with the changes merged in; a None value removes its key."""
    return Profile(
        attributes=_merged(before.attributes, attributes),
        consent=_merged(before.consent, consent),
        test=before.test if test is None else test,
        updated_at=now_ms,
    )
