"""The one tree of errors; its branches say who must act.

    SanderlingError
    ├── CallerError        the caller sent something wrong: change the request
    │   ├── BadField           one field, with a code and a reason
    │   ├── BadBody            the body as a whole cannot be read
    │   └── NotFound           the named thing does not exist
    ├── OperatorError      the deployment is wrong: change a setting or a server
    │   ├── StoreMisconfigured the store answers but must not be used as it stands
    │   └── BundleRefused      a released model failed its checks; the last good one stays
    ├── ScientistError     the data or the fit is wrong: change the data or the arguments
    │   ├── TooLittleData      not enough to learn from; says what is missing
    │   └── GateFailed         the challenger may not be released; says why
    └── Unavailable        nobody need act: retry later
        └── StoreUnavailable   the store cannot be reached just now

Status codes live in one table in the service, not here.
"""


class SanderlingError(Exception):
    """Root of every error this project raises on purpose."""


class CallerError(SanderlingError):
    """The caller sent something wrong.

    `code` is a stable word for programs, `field` the place in the input (may be empty),
    `message` one sentence for people. None of them carries an id or a secret.
    """

    code = "bad_request"

    def __init__(self, message: str, *, field: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code:
            self.code = code


class BadField(CallerError):
    """One field is wrong; `field` names it."""

    code = "bad_field"


class BadBody(CallerError):
    """The body as a whole cannot be read."""

    code = "bad_body"


class NotFound(CallerError):
    """The named thing does not exist."""

    code = "not_found"


class OperatorError(SanderlingError):
    """The deployment is wrong; the message names the setting and the remedy."""


class StoreMisconfigured(OperatorError):
    """The store answers, but its version, rights or settings would lose data."""


class BundleRefused(OperatorError):
    """A bundle failed its checks on loading; the last good one stays in place."""


class ScientistError(SanderlingError):
    """The data or the arguments of a fit are wrong."""


class TooLittleData(ScientistError):
    """There is not enough data to learn from; the message says what is missing."""


class GateFailed(ScientistError):
    """A challenger may not be released; the message lists the checks it failed."""


class Unavailable(SanderlingError):
    """Something is down for the moment; the caller may retry."""


class StoreUnavailable(Unavailable):
    """The store cannot be reached just now."""
