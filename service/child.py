"""Runs one command in place of itself, so that it ends when the process that started it does.

`python -m service.child COMMAND…`: asks the kernel (Linux only) for SIGTERM at the parent's
death, then becomes the command. Elsewhere a child outlives a parent killed by SIGKILL.
"""

import ctypes
import os
import signal
import sys

PARENT = "SANDERLING_PARENT"
"""Variable with the process id of whoever starts this."""

_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> None:
    """Become `command`; never returns."""
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        # The parent may have died before the kernel was asked.
        if str(os.getppid()) != os.environ.get(PARENT, str(os.getppid())):
            sys.exit(0)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
