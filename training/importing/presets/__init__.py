"""The presets: known public data sets, each read with its own stated rule.

`PRESETS[name].events(path)` answers canonical frames without needing a store.
"""

from training.importing.presets.cdnow import CDNOW_SAMPLE
from training.importing.presets.grocery import COMPLETE_JOURNEY
from training.importing.presets.movielens import ML_100K
from training.importing.presets.positional import AMAZON_BEAUTY, LASTFM
from training.importing.presets.preset import Preset, Table
from training.importing.presets.retail import ONLINE_RETAIL
from training.importing.presets.taobao import TAOBAO_BEHAVIOUR

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        COMPLETE_JOURNEY,
        ML_100K,
        AMAZON_BEAUTY,
        LASTFM,
        TAOBAO_BEHAVIOUR,
        ONLINE_RETAIL,
        CDNOW_SAMPLE,
    )
}

__all__ = ["PRESETS", "Preset", "Table"]
