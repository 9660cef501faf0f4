"""A child ends when its parent is killed."""

import os
import subprocess
import sys
import time

import pytest

from service.child import PARENT
from tests.service.serving import ROOT

PARENT_CODE = """
import os, subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-m", "service.child", sys.executable, "-c",
     "import time; print('up', flush=True); time.sleep(60)"],
    stdout=subprocess.PIPE, env={**os.environ, sys.argv[1]: str(os.getpid())},
)
assert child.stdout.readline() == b"up\\n"
print(child.pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has asked after counts as gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_it_ends_with_its_parent() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT_CODE, PARENT], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_it_does_not_start_when_its_parent_is_gone_already() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service.child", sys.executable, "-c", "print('up')"],
        cwd=ROOT, env={**os.environ, PARENT: "1"}, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b""


def test_it_becomes_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service.child", sys.executable, "-c", "print('up')"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout == b"up\n"
