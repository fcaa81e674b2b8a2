"""What every test stands on: the guards, and an environment that is the same everywhere.

Nothing here imports Qt or MLX.
"""

import os
import signal

os.environ.setdefault("HF_HUB_OFFLINE", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)  # programs under test can be ended

pytest_plugins = ["pytester", "tests.helpers.guards", "tests.helpers.turns"]
