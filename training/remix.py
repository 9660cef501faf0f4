"""A mix made the default: the champion once more, with the mix's weights, as a bundle's draft.

Nothing is learned again; golden rows are answered anew. Knows nothing of whether it may answer:
see training.evaluate.default_mix.
"""

from domain.errors import OperatorError
from models.bundle import Bundle, Draft, Golden
from models.recommend.mixes import RELEASED, mixes_of_model, remade
from models.recommend.model import RecommendModel

OF = "mix_of"
"""Under this name a bundle's settings say which version and mix it was made of."""


def remixed(champion: Bundle, model: RecommendModel, mix: str, created_at: int) -> Draft:
    """Answer the draft of a champion whose default is one of its mixes.

    What was measured at the fit was measured with other weights, so no metrics are kept. Raises
    OperatorError for a mix that the champion does not have.
    """
    mixes = {one.name: one for one in mixes_of_model(model)}
    if mix not in mixes or mixes[mix].arm == RELEASED:
        others = [name for name, one in mixes.items() if one.arm != RELEASED]
        raise OperatorError(
            f"{champion.family}/{champion.version} has no other mix {mix!r}; it has "
            + (", ".join(others) or "none")
        )
    made = remade(model, mixes[mix])
    manifest = champion.manifest
    origin = {"version": champion.version, "mix": mix}
    return Draft(
        family=champion.family,
        created_at=created_at,
        arrays=made.arrays(),
        params=made.params(),
        documents=champion.documents,
        texts={"card.md": _card(champion, mix)},
        golden=Golden(
            [{**row, "output": made.answer(row["input"])} for row in champion.golden.rows],
            champion.golden.tolerance,
        ),
        data=manifest.data,
        views=manifest.views,
        settings={**manifest.settings, OF: origin},
        commit=manifest.commit,
    )


def _card(champion: Bundle, mix: str) -> str:
    return (
        f"# {champion.family}: the mix {mix!r} of {champion.version}\n\n"
        f"The members of {champion.version}, as they were learned, with the weights of its mix "
        f"{mix!r}, which answers by default. It was released for what logged answers earned; on "
        "held-out history it was not measured.\n"
    )
