"""The object tables of the specification, and requests drawn from them: right, odd and wrong.

Transcribed from OpenRTB 2.6, sections 3.2.1 to 3.2.35: attribute, type, and "!" where it is
required. Whoever draws brings the randomness. Knows nothing of the service.
"""

import json
from collections.abc import Callable
from random import Random
from typing import Any

Draw = dict[str, Any]

TABLES: dict[str, str] = {
    "BidRequest": "id:str! imp:Imp[]! site:Site app:App dooh:DOOH device:Device user:User test:int "
    "at:int tmax:int wseat:str[] bseat:str[] allimps:int cur:str[] wlang:str[] wlangb:str[] "
    "acat:str[] bcat:str[] cattax:int badv:str[] bapp:str[] source:Source regs:Regs",
    "Source": "fd:int tid:str pchain:str schain:SupplyChain",
    "SupplyChain": "complete:int! nodes:SupplyChainNode[]! ver:str!",
    "SupplyChainNode": "asi:str! sid:str! rid:str name:str domain:str hp:int",
    "Regs": "coppa:int gdpr:int us_privacy:str gpp:str gpp_sid:int[]",
    "Imp": "id:str! metric:Metric[] banner:Banner video:Video audio:Audio native:Native pmp:Pmp "
    "displaymanager:str displaymanagerver:str instl:int tagid:str bidfloor:float bidfloorcur:str "
    "clickbrowser:int secure:int iframebuster:str[] rwdd:int ssai:int exp:int qty:Qty dt:float "
    "refresh:Refresh",
    "Metric": "type:str! value:float! vendor:str",
    "Banner": "format:Format[] w:int h:int btype:int[] battr:int[] pos:int mimes:str[] "
    "topframe:int expdir:int[] api:int[] id:str vcm:int",
    "Video": "mimes:str[]! minduration:int maxduration:int startdelay:int maxseq:int poddur:int "
    "protocols:int[] w:int h:int podid:str podseq:int rqddurs:int[] placement:int plcmt:int "
    "linearity:int skip:int skipmin:int skipafter:int sequence:int slotinpod:int "
    "mincpmpersec:float battr:int[] maxextended:int minbitrate:int maxbitrate:int "
    "boxingallowed:int playbackmethod:int[] playbackend:int delivery:int[] pos:int "
    "companionad:Banner[] api:int[] companiontype:int[] poddedupe:int[] durfloors:DurFloors[]",
    "Audio": "mimes:str[]! minduration:int maxduration:int poddur:int protocols:int[] "
    "startdelay:int rqddurs:int[] podid:str podseq:int sequence:int slotinpod:int "
    "mincpmpersec:float battr:int[] maxextended:int minbitrate:int maxbitrate:int delivery:int[] "
    "companionad:Banner[] api:int[] companiontype:int[] maxseq:int feed:int stitched:int nvol:int "
    "durfloors:DurFloors[]",
    "Native": "request:str! ver:str api:int[] battr:int[]",
    "Format": "w:int h:int wratio:int hratio:int wmin:int",
    "Pmp": "private_auction:int deals:Deal[]",
    "Deal": "id:str! bidfloor:float bidfloorcur:str at:int wseat:str[] wadomain:str[] guar:int "
    "mincpmpersec:float durfloors:DurFloors[]",
    "Site": "id:str name:str domain:str cattax:int cat:str[] sectioncat:str[] pagecat:str[] "
    "page:str ref:str search:str mobile:int privacypolicy:int publisher:Publisher content:Content "
    "keywords:str kwarray:str[] inventorypartnerdomain:str",
    "App": "id:str name:str bundle:str domain:str storeurl:str cattax:int cat:str[] "
    "sectioncat:str[] pagecat:str[] ver:str privacypolicy:int paid:int publisher:Publisher "
    "content:Content keywords:str kwarray:str[]",
    "DOOH": "id:str name:str venuetypetax:int publisher:Publisher domain:str keywords:str "
    "content:Content",
    "Publisher": "id:str name:str cattax:int cat:str[] domain:str",
    "Content": "id:str episode:int title:str series:str season:str artist:str genre:str gtax:int "
    "genres:str[] album:str isrc:str producer:Publisher url:str cattax:int cat:str[] prodq:int "
    "context:int contentrating:str userrating:str qagmediarating:int keywords:str kwarray:str[] "
    "livestream:int sourcerelationship:int len:int language:str langb:str embeddable:int "
    "data:Data[] network:Named channel:Named",
    "Named": "id:str name:str domain:str",
    "Device": "geo:Geo dnt:int lmt:int ua:str sua:UserAgent ip:str ipv6:str devicetype:int "
    "make:str model:str os:str osv:str hwv:str h:int w:int ppi:int pxratio:float "
    "js:int geofetch:int flashver:str language:str langb:str carrier:str mccmnc:str "
    "connectiontype:int ifa:str",
    "Geo": "lat:float lon:float type:int accuracy:int lastfix:int ipservice:int country:str "
    "region:str regionfips104:str metro:str city:str zip:str utcoffset:int",
    "User": "id:str buyeruid:str keywords:str kwarray:str[] customdata:str geo:Geo data:Data[] "
    "consent:str eids:EID[]",
    "Data": "id:str name:str cids:str[] segment:Segment[]",
    "Segment": "id:str name:str value:str",
    "EID": "inserter:str source:str matcher:str mm:int uids:UID[]",
    "UID": "id:str atype:int",
    "UserAgent": "browsers:BrandVersion[] platform:BrandVersion mobile:int architecture:str "
    "bitness:str model:str source:int",
    "BrandVersion": "brand:str version:str[]",
    "Qty": "multiplier:float! sourcetype:int vendor:str",
    "Refresh": "refsettings:RefSettings[] count:int",
    "RefSettings": "reftype:int minint:int",
    "DurFloors": "mindur:int maxdur:int bidfloor:float",
}
"""Object -> its attributes, each `name:type`, `[]` for an array and `!` for required."""

NOT_EMPTY = frozenset({"id", "imp", "mimes", "request"})
"""Required attributes that are not there when they are empty."""

OLD_PLACES: dict[str, dict[str, str]] = {
    "Regs": {"gdpr": "int", "us_privacy": "str"},
    "User": {"consent": "str", "eids": "EID[]"},
    "Source": {"schain": "SupplyChain"},
}
"""What OpenRTB 2.5 kept in `ext` of these objects."""

FLAGS = (0, 1)
SIZES = (50, 90, 250, 300, 320, 600, 640, 728, 1080, 1920)
POOLS: dict[str, tuple[Any, ...]] = {
    **dict.fromkeys(("secure", "instl", "rwdd", "private_auction", "guar", "skip"), FLAGS),
    **dict.fromkeys(("coppa", "gdpr", "dnt", "lmt", "complete", "boxingallowed"), FLAGS),
    "test": (0, 0, 0, 1), "w": SIZES, "h": SIZES, "wratio": (16, 6, 1), "hratio": (9, 5, 1),
    "wmin": (1, 300, 900), "at": (1, 2, 3, 500, 7), "tmax": (120, 300, 1_000, 5_000),
    "cur": ("USD", "EUR", "GBP", "JPY"), "bidfloorcur": ("USD", "EUR", "GBP", "JPY", "XYZ"),
    "bidfloor": (0, 0.03, 0.5, 1.25, 2.999999, 4.00000001, -1, 1e12),
    "mincpmpersec": (0, 0.01, 0.3),
    "bcat": ("IAB3", "IAB3-1", "IAB25", "IAB26-4", "53"), "acat": ("IAB3", "IAB19", "IAB1-2"),
    "cattax": (1, 1, 1, 2, 7), "badv": ("shop.example", "example", "ford.com", "www.tea.example"),
    "bapp": ("com.game", "123"), "wlang": ("en", "de", "fr"), "wlangb": ("en", "en-GB", "de"),
    "wseat": ("seat-1", "seat-2", "other"), "bseat": ("seat-2", "other"),
    "wadomain": ("shop.example", "tea.example"), "battr": (1, 3, 6, 13, 16, 17, 999),
    "btype": (1, 3, 4), "api": (3, 5, 6, 7, 99), "expdir": (2, 4),
    "protocols": (2, 3, 5, 6, 9, 10, 77), "linearity": (1, 2, 9), "mindur": (0, 6, 15),
    "maxdur": (10, 15, 30), "minduration": (0, 5, 15), "maxduration": (10, 15, 30, 60),
    "rqddurs": (6, 15, 30), "poddur": (30, 60, 90), "maxseq": (1, 2, 4), "podid": ("p1", "p2"),
    "poddedupe": (1, 2, 3, 5), "skipmin": (0, 10, 30), "minbitrate": (0, 300),
    "maxbitrate": (1_500, 100), "multiplier": (1, 14.2, 0.5, 0), "exp": (60, 360, 7_200),
    "country": ("DEU", "USA", "FRA"), "devicetype": (1, 2, 4, 5, 8, 42),
    "ip": ("192.0.2.77", "ip", "::1"), "ipv6": ("2001:db8:1:2:3:4:5:6", "8888::"),
    "us_privacy": ("1YNN", "1YYN", "1---", "{invalid}"), "gpp": ("DBACNYA~CPXx~1NYN", "junk"),
    "gpp_sid": (2, 6, 7, -1), "ua": ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 Browser"),
}  # fmt: skip
MIMES = {
    "Banner": ("image/png", "image/jpeg", "text/html"),
    "Video": ("video/mp4", "video/webm"),
    "Audio": ("audio/mp4", "audio/mpeg"),
}
DEALS = ("deal-1", "deal-2", "deal-3", "not-ours")
NATIVE_REQUESTS = (
    {"ver": "1.2", "assets": [{"id": 1, "required": 1, "title": {"len": 90}},
                              {"id": 2, "required": 1, "img": {"type": 3, "wmin": 100, "hmin": 50}},
                              {"id": 3, "data": {"type": 2, "len": 140}}]},
    {"native": {"ver": "1.0", "assets": [{"id": 7, "required": 1, "title": {"len": 5}}]}},
    {"ver": "1.1", "assets": [{"id": 1, "required": 1, "img": {"type": 1, "w": 80, "h": 80}}]},
    {"assets": [{"id": 4, "required": 1, "video": {"mimes": ["video/mp4"]}}]},
)  # fmt: skip
WRONG: dict[str, tuple[Any, ...]] = {
    "str": (7, True, ["a"], {"a": 1}),
    "int": ("7", 1.5, True, [1], {}),
    "float": ("0.5", True, [0.5], {}),
}
_MEDIA = ("Banner", "Video", "Audio", "Native")


def attributes_of(name: str) -> list[tuple[str, str, bool, bool]]:
    """Answer (attribute, type, is an array, is required) of an object's table."""
    out: list[tuple[str, str, bool, bool]] = []
    for part in TABLES[name].split():
        attribute, _, kind = part.partition(":")
        required, kind = kind.endswith("!"), kind.removesuffix("!")
        out.append((attribute, kind.removesuffix("[]"), kind.endswith("[]"), required))
    return out


class Drawer:
    """Draws requests; `often` is the chance that an optional attribute is there."""

    def __init__(self, random: Random, often: float = 0.2) -> None:
        self.random = random
        self.often = often
        self._imps = 0

    def request(self) -> Draw:
        """Draw a request that is right as to types and required attributes."""
        self._imps = 0
        drawn = self.draw("BidRequest")
        places = [name for name in ("site", "app", "dooh") if name in drawn]
        for name in places[1:]:
            del drawn[name]
        return drawn

    def draw(self, name: str) -> Draw:
        """Draw one object of the named table."""
        chance = self.random.random
        drawn: Draw = {}
        for attribute, kind, many, required in attributes_of(name):
            if not required and chance() >= self._chance(name, attribute):
                continue
            if many:
                count = 1 + int(chance() * 2.2)
                drawn[attribute] = [self._value(name, attribute, kind) for _ in range(count)]
            else:
                drawn[attribute] = self._value(name, attribute, kind)
        if name == "Imp" and not any(media.lower() in drawn for media in _MEDIA):
            drawn["banner"] = self.draw("Banner")
        return drawn

    def _chance(self, name: str, attribute: str) -> float:
        """Sizes are mostly there, restrictions that stop nearly all of us seldom."""
        if attribute in ("format", "w", "h", "banner", "video"):
            return 0.7
        if attribute in ("acat", "wseat", "rqddurs", "linearity", "coppa", "wadomain", "cattax"):
            return self.often / 3
        return self.often

    def _value(self, name: str, attribute: str, kind: str) -> Any:
        pick = self.random.choice
        if kind in TABLES:
            return self.draw(kind)
        if attribute == "mimes":
            return pick(MIMES[name])
        if name == "Imp" and attribute == "id":
            self._imps += 1
            return str(self._imps)
        if name == "Deal" and attribute == "id":
            return pick(DEALS)
        if name == "Native" and attribute == "request":
            return json.dumps(pick(NATIVE_REQUESTS))
        if attribute in POOLS:
            return pick(POOLS[attribute])
        plain: dict[str, Callable[[], Any]] = {
            "str": lambda: pick(("a", "b-1", "some text", "é")),
            "int": lambda: pick((0, 1, 2, 5, 1 << 40)),
            "float": lambda: pick((0, 0.25, 3)),
        }
        return plain[kind]()

    def wrong(self, request: Draw) -> tuple[str, Draw]:
        """Answer what was made wrong in a copy of a request, and the copy: 400 is due."""
        copy: Draw = json.loads(json.dumps(request))
        places = list(_objects("BidRequest", copy))
        name, found = self.random.choice(places)
        attribute, kind, many, required = self.random.choice(attributes_of(name))
        if required and self.random.random() < 0.5:
            found.pop(attribute, None)
            return f"{name} without {attribute}", copy
        value = {"not": "it"} if many else self.random.choice(WRONG.get(kind, (7, "text", [1])))
        found[attribute] = value
        return f"{name}.{attribute} is {value!r}", copy


def faults(name: str, found: Any, where: str = "") -> list[str]:
    """Answer what makes a document unreadable: known attributes of the wrong type, or missing."""
    if not isinstance(found, dict):
        return [f"{where or name} is no object"]
    out: list[str] = []
    table = [*attributes_of(name), ("ext", "ext", False, False)]
    for attribute, kind, many, required in table:
        value, place = found.get(attribute), f"{where}.{attribute}"
        if value is None:
            out += [f"{place} is missing"] if required else []
        elif attribute == "ext":
            out += _old_faults(name, value, place)
        elif many and not isinstance(value, list):
            out.append(f"{place} is no array")
        else:
            if required and attribute in NOT_EMPTY and not value:
                out.append(f"{place} is empty")
            for one in value if many else (value,):
                out += _value_faults(kind, one, place)
    return out


def _value_faults(kind: str, value: Any, place: str) -> list[str]:
    if kind in TABLES:
        return faults(kind, value, place)
    types: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (int, float)}
    right = isinstance(value, types[kind]) and not isinstance(value, bool)
    return [] if right else [f"{place} is no {kind}"]


def _old_faults(name: str, ext: Any, place: str) -> list[str]:
    if not isinstance(ext, dict):
        return [f"{place} is no object"]
    out: list[str] = []
    for attribute, kind in OLD_PLACES.get(name, {}).items():
        value = ext.get(attribute)
        if value is not None:
            many = kind.endswith("[]")
            for one in value if many and isinstance(value, list) else (value,):
                out += _value_faults(kind.removesuffix("[]"), one, f"{place}.{attribute}")
    return out


def _objects(name: str, found: Draw) -> list[tuple[str, Draw]]:
    """Answer every object within one, with the name of its table."""
    out = [(name, found)]
    for attribute, kind, many, _ in attributes_of(name):
        if kind in TABLES and attribute in found:
            for inner in found[attribute] if many else (found[attribute],):
                out += _objects(kind, inner)
    return out
