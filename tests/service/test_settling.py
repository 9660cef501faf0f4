"""Settling changes the whole process, so it is tried in a process of its own."""

import subprocess
import sys

PROBE = """
import gc, resource
import numpy as np
from service.settling import settle_memory

def faults() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(200):
        np.ones(300_000, np.float32)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

np.ones(300_000, np.float32)
loose = faults()
obeyed = settle_memory()
np.ones(300_000, np.float32)
print(int(obeyed), loose, faults(), gc.get_freeze_count() > 1_000)
"""


def test_freed_arrays_are_used_again_without_asking_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True)
    obeyed, loose, settled, frozen = done.stdout.split()
    assert frozen == "True"
    if obeyed == "1":
        assert int(settled) < int(loose) / 10
