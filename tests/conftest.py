"""What every test stands on: the guards, and an environment that is the same everywhere.

Nothing here imports Qt or MLX.
"""

import os

os.environ.setdefault("HF_HUB_OFFLINE", "1")

pytest_plugins = ["pytester", "tests.helpers.guards", "tests.helpers.turns"]
