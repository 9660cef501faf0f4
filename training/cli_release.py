"""`python -m training release`: the challenger through the gate, and into the service.

Knows nothing of what the gate looks at; see training.gate and training.release.
"""

import argparse
from dataclasses import replace

from domain.clock import system_clock
from domain.errors import OperatorError
from models.bundle import Bundle, write_bundle
from training.desk import Desk, add_command, add_family, desk_from_env
from training.fits import FITS
from training.gate import Contest, GateSettings, demand
from training.release import Hold, champion_of, release

_ABOUT = """\
Let the challenger answer, if it passes the gate.

The gate, on the challenger's test split, with the 95 % paired bootstrap interval of the
difference: its lower end is at least -margin times the champion's value. For the first release,
against popularity: the difference is at least -margin times popularity's value and the upper
end at least 0. A bidding challenger is also asked what it bid in shadow of the champion: by
SNIPS and DR on the decision log it gains at least 0 a bid at the lower ends of the 95 %
intervals; too few bids in its shadow are a failure. A recommender led by another kind of member
than the champion (lasting taste, the crowd, the visit, ...) is asked what the champion's mix that
is led by it earned: by SNIPS and DR on the answers whose mix was drawn it gains at least 0 an
answer at the lower ends; --unproven-mix lets it pass all the same. Golden rows reproduce from the
written bundle; size and latency are within limits. When a check fails nothing is moved, every
failed check is listed, and the exit status is 3. When all hold, the pointer is swapped, then
MLflow's champion alias moves; the service swaps the model in by itself. Run it again after a
crash: it repairs what is left to do.

With --mix no challenger is taken: the champion's own mix of that name becomes the default, as a
version of its own, if answers say so (`evaluate --mixes` shows what they say). Going back is
`rollback`, as ever.
"""
_EXAMPLES = """\
  python -m training release recommend
  python -m training release recommend --margin 0.02 --max-latency-ms 5
  python -m training release recommend --version 20250102-030405-0123456789ab
  python -m training release recommend --mix crowd
"""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `release` command."""
    default = GateSettings()
    parser = add_command(subparsers, "release", _ABOUT, _EXAMPLES)
    add_family(parser)
    add = parser.add_argument
    add("--version", help="which bundle (default: the challenger)")
    add("--mix", help="make this mix of the champion's members the default instead")
    add(
        "--unproven-mix",
        action="store_true",
        help="take another default mix though answers have not proven it",
    )
    add("--metric", help="which decides (default: the family's own)")
    add(
        "--margin",
        type=float,
        default=default.margin,
        help="share of the reference's value that may be lost at worst (default: %(default)s)",
    )
    add(
        "--max-mb",
        type=float,
        default=default.max_bytes / 1e6,
        help="most megabytes of the bundle (default: %(default).0f)",
    )
    add(
        "--max-latency-ms",
        type=float,
        default=default.max_latency_ms,
        help="most milliseconds, median, to score one golden row (default: %(default)s)",
    )
    add("--keep", type=int, default=5, help="newest bundles to keep on disk (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Release one family; answer 0. A failed gate is raised as GateFailed."""
    desk = desk_from_env()

    def contest(challenger: Bundle, champion: Bundle | None) -> Contest:
        log = desk.log(challenger.manifest.settings.get("fit"))
        found = FITS[args.family].hold(log, challenger, champion, "as-fitted")
        return _waived(found) if args.unproven_mix else found

    version, hold = _mix(args, desk) if args.mix else (args.version, contest)
    settings = GateSettings(
        metric=args.metric or FITS[args.family].metric,
        margin=args.margin,
        max_bytes=int(args.max_mb * 1e6),
        max_latency_ms=args.max_latency_ms,
    )
    released = release(
        desk.family(args.family),
        desk.tracking,
        hold,
        now_ms=system_clock(),
        version=version,
        settings=settings,
        keep=args.keep,
    )
    for check in released.checks:
        print(f"passed {check.name}: {check.detail}")
    if not released.checks:
        print("this version was current already; its record was made sure of")
    print(f"champion: {args.family} {released.pointer.version}")
    if released.pointer.before:
        print(f"before: {released.pointer.before[0]} (`rollback {args.family}` goes back to it)")
    if released.cleared:
        print(f"cleared: {', '.join(released.cleared)}")
    return 0


def _waived(contest: Contest) -> Contest:
    """Let another default mix pass because the operator says so."""
    from training.evaluate.default_mix import waived

    quality = contest.quality and waived(contest.quality)
    return replace(contest, checks=tuple(map(waived, contest.checks)), quality=quality)


def _mix(args: argparse.Namespace, desk: Desk) -> tuple[str, Hold]:
    """Judge a mix of the champion, then write it; answer its version, and that judgement as what
    decides. Raises OperatorError where there is no such mix, GateFailed before anything is
    written."""
    # Loaded on demand: the kernels take a second to import.
    from models.recommend.model import RecommendModel
    from training.evaluate.default_mix import FAMILY, judge_mix
    from training.remix import remixed

    if args.family != FAMILY or args.version:
        raise OperatorError(f"--mix is of {FAMILY}'s champion, and goes with no --version")
    champion = champion_of(desk.family(FAMILY))
    if champion is None:
        raise OperatorError(f"{FAMILY} has no champion yet, so no mix of one")
    now = system_clock()
    draft = remixed(champion, RecommendModel.from_bundle(champion), args.mix, now)
    check = judge_mix(desk.home, champion.version, args.mix, now)
    contest = Contest({}, quality=check)
    if args.unproven_mix:
        contest = _waived(contest)
    demand(champion, [contest.quality or check])
    return write_bundle(desk.home.bundles, draft).version, lambda *_: contest
