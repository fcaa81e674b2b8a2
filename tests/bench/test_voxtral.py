"""The calculated half of Voxtral's bench: what the shapes say of themselves."""

import pytest

from tests.bench.voxtral import (
    MINI,
    REALTIME,
    SMALL,
    calculated,
    encoder_parameters,
    text_parameters,
    whole_bytes,
)


def test_the_shapes_have_the_published_sizes() -> None:
    embeddings = MINI.text.vocabulary * MINI.text.width
    mini = text_parameters(MINI) + embeddings + encoder_parameters(MINI)
    assert mini == pytest.approx(4.7e9, rel=0.02)  # “3B” is the text model's name
    assert text_parameters(SMALL) == pytest.approx(23e9, rel=0.02)
    assert encoder_parameters(REALTIME) == pytest.approx(970e6, rel=0.01)
    assert text_parameters(REALTIME) == pytest.approx(3.4e9, rel=0.02)
    assert whole_bytes(MINI) == pytest.approx(2.95e9, rel=0.03)


def test_the_roofline_is_that_of_the_research() -> None:
    """An M1 reads 31 GB a second for Realtime: 0.45 of what it can."""
    rows = {line.split("|")[1].strip(): line for line in calculated().splitlines()[2:]}
    assert len(rows) == 12
    assert "0.45" in rows["M1"]
    assert "0.26" in rows["M4"]
    assert "–" in rows["M4 Max"]  # Apple published no peak for it
