"""The privacy verdict of a bid request, before anything personal is looked at.

Children, limited tracking, opt-outs and missing or unreadable consent all mean: bid by the
context alone. What cannot be read is not consent. Knows nothing of users or of prices.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Generic, TypeVar

from domain import gpp, tcf, usprivacy
from domain.opportunities import Privacy
from service.openrtb.wire import BidRequest, Regs

PURPOSES = (2, 4)
"""Of the Transparency and Consent Framework: select advertising, and personalised advertising."""

ROOM = 50_000
_NOT_APPLICABLE = -1
_HEADERS = (3, 4)
ALLOWED = Privacy(True)
Told = TypeVar("Told")


class _Memory(Generic[Told]):
    """What texts said, by their hash; no text itself is kept, for it is somebody's."""

    def __init__(self, read: Callable[[str], Told], room: int) -> None:
        self._read = read
        self._room = room
        self._told: dict[bytes, Told] = {}

    def __call__(self, text: str) -> Told:
        key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        told = self._told
        if key not in told:
            if len(told) >= self._room:
                told.pop(next(iter(told)))
            told[key] = self._read(text)
        return told[key]


class PrivacyJudge:
    """Judges requests for one vendor, and remembers what strings said by their hash.

    vendor: our id on the global vendor list; 0 is on none, so no consent can be for us.
    room: how many strings are remembered.
    """

    def __init__(self, vendor: int = 0, room: int = ROOM) -> None:
        self.vendor = vendor
        self._granted = _Memory(self._read_consent, room)
        self._sections = _Memory(_read_platform, room)

    def judge(self, request: BidRequest) -> Privacy:
        """Answer whether personal data may be used for `request`, and if not, why."""
        regs, device = request.regs, request.device
        if device is not None and (device.lmt or device.dnt):
            return Privacy(False, "lmt" if device.lmt else "dnt")
        user = request.user
        consent = None
        if user is not None:
            consent = user.consent or (user.ext.consent if user.ext is not None else None)
        if regs is None:
            return ALLOWED if not consent else self._unasked(consent)
        if regs.coppa:
            return Privacy(False, "coppa")
        return self._by_law(regs, consent)

    def _by_law(self, regs: Regs, consent: str | None) -> Privacy:
        ext = regs.ext
        gdpr, us, platform, sids = regs.gdpr, regs.us_privacy, regs.gpp, regs.gpp_sid
        if ext is not None:
            gdpr = ext.gdpr if gdpr is None else gdpr
            us = us or ext.us_privacy
            platform = platform or ext.gpp
            sids = ext.gpp_sid if sids is None else sids
            if str(ext.gpc) == "1":
                return Privacy(False, "gpc")
        if gdpr and not (consent and self._granted(consent)):
            return Privacy(False, "gdpr")
        if us and usprivacy.opted_out(us) is not False:
            return Privacy(False, "us_privacy")
        if (platform or sids) and not self._platform_allows(platform or "", sids, consent):
            return Privacy(False, "gpp")
        if gdpr is None and consent:
            return self._unasked(consent)
        return ALLOWED

    def _unasked(self, consent: str) -> Privacy:
        """A string where no law was named: a readable refusal is a refusal all the same."""
        return Privacy(False, "gdpr") if self._granted(consent) is False else ALLOWED

    def _read_consent(self, consent: str) -> bool | None:
        """Answer whether a consent string grants us our purposes, None when it is unreadable."""
        try:
            return tcf.decode(consent).grants(self.vendor, PURPOSES)
        except tcf.Unreadable:
            return None

    def _platform_allows(
        self, text: str, sids: tuple[int, ...] | None, consent: str | None
    ) -> bool:
        """Tell whether every section that applies allows; without a list, every one there is."""
        if sids is not None and all(sid == _NOT_APPLICABLE for sid in sids):
            return True
        # Without a readable string the European section may still come where it always came.
        sections = self._sections(text) or {}
        for sid in sections if sids is None else sids:
            if sid in _HEADERS or sid == _NOT_APPLICABLE:
                continue
            if not self._section_allows(sid, sections.get(sid), consent):
                return False
        return bool(sections) or bool(sids)

    def _section_allows(self, sid: int, text: str | None, consent: str | None) -> bool:
        if sid == gpp.TCF_EUROPE:
            told = text or consent
            return bool(told and self._granted(told))
        if text is None:
            return False
        try:
            return not gpp.opted_out(sid, text)
        except tcf.Unreadable:
            return False


def _read_platform(text: str) -> dict[int, str] | None:
    try:
        return gpp.sections_of(text)
    except tcf.Unreadable:
        return None
