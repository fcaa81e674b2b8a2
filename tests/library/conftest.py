from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.library.builders import Library


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path / "home" / "library.sqlite")
    try:
        yield opened
    finally:
        opened.close()
