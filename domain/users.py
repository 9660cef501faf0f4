"""Users: the small profile beside a history, and consent per purpose."""

from dataclasses import dataclass, field
from enum import StrEnum

from domain.items import Attribute


class Purpose(StrEnum):
    """What personal data may be used for; consent is given or refused for each."""

    personalisation = "personalisation"
    analytics = "analytics"
    advertising = "advertising"


@dataclass(slots=True, frozen=True)
class Profile:
    """What we were told about a user: attributes, consent per purpose, the test flag.

    A purpose absent from `consent` was never answered; see `may_use`.
    """

    attributes: dict[str, Attribute] = field(default_factory=dict[str, Attribute])
    consent: dict[str, bool] = field(default_factory=dict[str, bool])
    test: bool = False
    updated_at: int = 0


def may_use(profile: Profile | None, purpose: Purpose, *, unanswered: bool) -> bool:
    """Tell whether personal data may be used for `purpose`.

    `unanswered` is the deployment's stated rule for users who never answered: True where
    the operator has another lawful basis (opt-out), False where consent is required (opt-in).
    """
    if profile is None:
        return unanswered
    # A purpose hashes as its word. Anything but a plain yes is a no: what cannot be read is not
    # consent.
    return profile.consent.get(purpose, unanswered) is True
