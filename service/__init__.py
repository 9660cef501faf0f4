"""The room that answers requests: routes, decisions, hot-swapped bundles, metrics.

Knows nothing of training; never imports torch or mlflow.
"""

import os

# Before numpy is first imported, in the main process and in every worker: a request is too
# small to be shared out, and threads that wait for work take the core from the event loop.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
