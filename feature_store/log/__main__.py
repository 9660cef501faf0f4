"""The log on the command line: `python -m feature_store.log run|drain|compact|status`."""

import sys

from feature_store.log.cli import main

if __name__ == "__main__":
    sys.exit(main())
