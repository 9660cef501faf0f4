"""`python -m training`: see training.cli for the commands.

Knows nothing else.
"""

import sys

from training.cli import main

if __name__ == "__main__":
    sys.exit(main())
