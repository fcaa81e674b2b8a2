"""`python -m tests.house`: name every place that breaks a house rule."""

import sys

from tests.house.rules import RULES


def main() -> int:
    faults = [fault for rule in RULES for fault in rule()]
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
