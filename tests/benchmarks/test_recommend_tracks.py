from dataclasses import replace

import numpy as np
import pytest

from benchmarks.harness import Arguments, data_folder
from benchmarks.recommend_data import LOGS
from benchmarks.recommend_tracks import TRACKS, part
from domain.errors import TooLittleData

BY_NAME = {track.name: track for track in TRACKS}
# The larger logs' counts are checked whenever the benchmark runs.
CASES = {
    "lastfm_leave_one_out": (1_090, 1_090),
    "ml_100k_leave_one_out": (943, 943),
    "ml_100k_time": (106, 109),
    "online_retail_time": (1_060, 1_282),
    "online_retail_discover": (990, 1_186),
}


@pytest.mark.parametrize("name", CASES)
def test_every_track_is_parted_as_published(name):
    track, arguments = BY_NAME[name], Arguments(data=data_folder(None))
    try:
        parted = part(track, arguments)
    except TooLittleData as error:
        if "published" in str(error):
            raise
        pytest.skip(str(error))
    valid, test, full = parted.valid, parted.test, parted.full
    assert (len(valid.cases), len(test.cases)) == CASES[name]
    if track.split == "leave-one-out":
        assert len(valid.known.items) + len(valid.cases) == len(test.known.items)
    else:
        assert valid.known.ats.max() < valid.as_of <= valid.cases.as_of.min()
        assert valid.as_of < test.as_of <= test.cases.as_of.min()
        assert test.known.ats.max() < test.as_of
    for case in range(0, len(test.cases), max(1, len(test.cases) // 50)):
        history = full.items[test.cases.starts[case] : test.cases.ends[case]]
        mine = slice(*test.cases.target_offsets[case : case + 2])
        if not track.repeats:
            assert not np.isin(test.cases.targets[mine], history).any()
        if track.dataset == "online-retail":
            assert len(history) >= 5


def test_another_log_under_the_same_name_is_refused(tmp_path):
    (tmp_path / "lastfm").mkdir()
    (tmp_path / "lastfm" / "LastFM.txt").write_text("1 5 6 7 8\n2 5 6 7 8\n")
    track, arguments = BY_NAME["lastfm_leave_one_out"], Arguments(data=tmp_path)
    with pytest.raises(TooLittleData, match="not the published log"):
        part(track, arguments)
    parted = part(replace(track, counts={}), arguments)
    assert [parted.catalogue.items[i] for i in parted.test.cases.targets] == ["8", "8"]
    assert [parted.catalogue.items[i] for i in parted.valid.cases.targets] == ["7", "7"]


def test_tracks_have_names_of_their_own_and_logs_that_can_be_read():
    assert len(BY_NAME) == len(TRACKS)
    assert {track.dataset for track in TRACKS} == LOGS.keys()
