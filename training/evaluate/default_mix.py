"""Who may change the mix that answers by default: a gate over the log of answers.

The default changes when a mix is released in the place of the champion's own weights, or when a
challenger is led by another kind of member than the champion. Either is held against what answers
earned: by SNIPS and by DR the new one gains at least 0 at the lower ends of the 95 % intervals.
Knows nothing of pointers, or of how a mix answers.
"""

import os
from collections.abc import Mapping
from typing import Final

from domain.clock import system_clock
from domain.errors import OperatorError, TooLittleData
from feature_store.settings import Home, settings_from_env
from models.bundle import Bundle
from models.recommend.mixes import ARMS, LED, RELEASED, heard_weights
from models.recommend.model import RecommendModel
from models.recommend.worth import Worth, worth_from_env
from training.evaluate.blends import FAMILY, Answers, read_answers, shortfalls, value_mixes
from training.gate import Check

CHECK: Final = "default_mix"
WAIVE: Final = "--unproven-mix"


def worth_here(env: Mapping[str, str] | None = None) -> Worth:
    """Answer what outcomes are worth in this deployment; raises OperatorError."""
    try:
        return worth_from_env(os.environ if env is None else env)
    except ValueError as error:
        raise OperatorError(str(error)) from error


def answers_of(home: Home, version: str, worth: Worth, until: int, since: int = 0) -> Answers:
    """Answer the answers of one released version whose mix was drawn; raises TooLittleData."""
    try:
        return read_answers(home.log, home.decisions, worth, since, until, f"{FAMILY}/{version}")
    except TooLittleData as error:
        raise TooLittleData(
            f"too few answers of {FAMILY}/{version} were given by a drawn mix: mixes are drawn "
            "once an app tells what came of answers (events that quote a decision_id), and count "
            "when nothing more can come of them (SANDERLING_REWARD_HOURS)"
        ) from error


def leader(model: RecommendModel) -> str:
    """Answer which kind of member (models.recommend.mixes.LED) weighs most in a model."""
    weights = dict(zip(model.members, heard_weights(model).tolist(), strict=True))
    shares = {kind: sum(weights.get(one, 0.0) for one in led) for kind, led in LED.items()}
    return max(shares, key=lambda kind: shares[kind])


def check_mix(answers: Answers, mix: str) -> Check:
    """Ask that a mix, had it answered all the time, cannot be told to earn less than the one
    released. Who is refused is told what to do about it."""
    if mix == ARMS[RELEASED]:
        return Check(CHECK, True, "the released mix stays")
    found = [one for one in value_mixes(answers.log) if one.mix == mix]
    if not found:
        return Check(
            CHECK, False,
            f"of {len(answers.pages):,} answers none was given with the mix {mix!r}: nothing is "
            f"known of it; let answers go on, or say {WAIVE}",
        )  # fmt: skip
    told = ", ".join(
        f"{name.upper()} {one.value:+.4f} [{one.low:+.4f}, {one.high:+.4f}]"
        for name, one in found[0].gain.items()
    )
    short = shortfalls(found[0])
    detail = (
        f"{mix} gains {told} an answer over the released mix, {len(answers.pages):,} answers; "
        "at least 0 wanted at the lower ends"
    )
    if short:
        settles = all(one.high < 0 for one in found[0].gain.values())
        do = "keep the released mix" if settles else "let more answers come"
        detail += f" ({'; '.join(short)}): {do}, or say {WAIVE} to take it all the same"
    return Check(CHECK, not short, detail)


def judge_mix(home: Home, version: str, mix: str, until: int) -> Check:
    """Ask it of a mix of the released version, of the log; too little of it is a refusal."""
    try:
        return check_mix(answers_of(home, version, worth_here(), until), mix)
    except TooLittleData as error:
        return Check(CHECK, False, f"{error}; let answers come, or say {WAIVE}")


def check_challenger(
    home: Home, version: str, challenger: RecommendModel, champion: RecommendModel, until: int
) -> Check:
    """Ask the same of a challenger led by another kind of member than the champion `version`,
    of the champion's mix that is led by it.

    Passes where nothing was told of answers: then there is nothing to hold it against.
    """
    before, after = leader(champion), leader(challenger)
    if before == after:
        return Check(CHECK, True, f"led by {after}, as before")
    changes = f"led by {after}, no longer by {before}"
    try:
        answers = answers_of(home, version, worth_here(), until)
    except TooLittleData as error:
        return Check(CHECK, True, f"{changes}; {error}")
    found = check_mix(answers, after)
    return found._replace(detail=f"{changes}: {found.detail}")


def check_default(challenger: Bundle, champion: Bundle) -> Check:
    """Ask it of two bundles, of this deployment's own logs up to now."""
    home = settings_from_env()[1]
    models = [RecommendModel.from_bundle(one) for one in (challenger, champion)]
    return check_challenger(home, champion.version, models[0], models[1], system_clock())


def waived(check: Check) -> Check:
    """Let a refused default mix pass, because somebody said so; other checks stay as they are."""
    if check.name != CHECK or check.passed:
        return check
    return Check(CHECK, True, f"taken unproven, as asked ({WAIVE}): {check.detail}")


def page_name(page: str) -> str:
    """Answer a page's name for a table."""
    return page or "(no page)"


__all__ = [
    "CHECK",
    "FAMILY",
    "WAIVE",
    "answers_of",
    "check_challenger",
    "check_default",
    "check_mix",
    "judge_mix",
    "leader",
    "page_name",
    "waived",
    "worth_here",
]
