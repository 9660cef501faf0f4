"""The plan of one sweep: what was settled before the first user was scored, kept beside the parts.

Whoever goes on with an unfinished sweep finds here as of when, with which model and in how many
parts. Knows nothing of scoring.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from domain.errors import OperatorError
from feature_store.sweeps.shelf import PLAN, read_json, sweeps_in, write_json

WORK = "work"
"""Folder of the scored parts; gone once the sweep is whole."""
PART_USERS = 20_000


@dataclass(slots=True, frozen=True)
class Plan:
    """id: of the sweep. as_of, started_at: ms UTC. model: the bundle's version. parts: users are
    parted by a hash of their id. value_attribute, value_times: see scoring.ValueFrom, "" for
    the history's own. fresh_limits: draw the bands' limits anew. limits: of medium and high, as
    the operator gave them, or None. left_out: users of the log not asked about, by why. uplift:
    the version of the uplift model, "" without one. known_until: ms UTC; of scores told of visits
    later ones are not looked at."""

    id: str
    as_of: int
    started_at: int
    model: str
    parts: int
    value_attribute: str = ""
    value_times: float = 1.0
    fresh_limits: bool = False
    limits: tuple[float, float] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    uplift: str = ""
    known_until: int = 0


def write_plan(root: Path, plan: Plan) -> Path:
    """Begin a sweep; answer its folder."""
    folder = root / plan.id
    write_json(folder / PLAN, asdict(plan))
    return folder


def read_plan(folder: Path) -> Plan:
    """Answer the plan of a sweep; raises OperatorError when it cannot be read."""
    raw = read_json(folder / PLAN)
    try:
        limits = raw.pop("limits")
        return Plan(**raw, limits=None if limits is None else (limits[0], limits[1]))
    except (TypeError, KeyError, IndexError) as error:
        raise OperatorError(
            f"sweep {folder.name} was begun by another release of the software; begin a new one"
        ) from error


def unfinished(root: Path) -> Plan | None:
    """Answer the plan of the unfinished sweep that was begun last, None when there is none."""
    names = sweeps_in(root, whole=False)
    return read_plan(root / names[-1]) if names else None


def part_path(folder: Path, part: int) -> Path:
    """Answer where the scored rows of a part lie; the file is there once all of them are."""
    return folder / WORK / f"part-{part:05d}.arrow"


def missing_parts(folder: Path, plan: Plan) -> list[int]:
    """Answer the parts that are not scored yet."""
    return [part for part in range(plan.parts) if not part_path(folder, part).exists()]


def note_refused(folder: Path, part: int, refused: int) -> None:
    """Keep how many of a part's users refused; to be called before the part's rows are written."""
    write_json(part_path(folder, part).with_suffix(".json"), {"refused": refused})


def refused_in_part(folder: Path, part: int) -> int:
    """Answer how many of a part's users refused to be scored."""
    return int(read_json(part_path(folder, part).with_suffix(".json"))["refused"])


def refused_in(folder: Path, plan: Plan) -> int:
    """Answer how many users refused to be scored, over all parts."""
    return sum(refused_in_part(folder, part) for part in range(plan.parts))
