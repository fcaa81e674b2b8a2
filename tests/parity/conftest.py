"""The oracles run in an environment of their own (`./run test parity`), and nowhere else."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("torch") else ["test_*.py"]
