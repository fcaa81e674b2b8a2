"""Which model takes over."""

from dataclasses import replace

from app.pipeline.breaker import WITHIN_S, Breaker
from tests.helpers.dictation import BIG, SMALL

DEMO = replace(SMALL, model_id="demo", memory_bytes=10, is_demo=True)
GERMAN = replace(SMALL, model_id="german", memory_bytes=100, languages=("de",))
ALL = (BIG, SMALL, DEMO, GERMAN)


def test_one_failure_is_forgiven() -> None:
    breaker = Breaker(lambda: 0.0)
    assert not breaker.failed("big")
    assert breaker.choose(BIG, ALL) is BIG


def test_two_failures_in_ten_minutes_set_a_model_aside() -> None:
    now = [0.0]
    breaker = Breaker(lambda: now[0])
    breaker.failed("big")
    now[0] = WITHIN_S + 1
    assert not breaker.failed("big")
    now[0] += WITHIN_S - 1
    assert breaker.failed("big")
    assert breaker.choose(BIG, ALL) is SMALL
    now[0] += 10 * WITHIN_S
    assert breaker.choose(BIG, ALL) is SMALL  # until the app starts again


def test_the_next_one_knows_the_language_and_is_no_demonstration() -> None:
    breaker = Breaker(lambda: 0.0)
    breaker.set_aside("big")
    breaker.set_aside("small")
    assert breaker.choose(BIG, ALL, "de") is GERMAN
    assert breaker.choose(BIG, ALL, "fr") is None
    assert breaker.choose(DEMO, ALL) is DEMO
    breaker.forgive()
    assert breaker.choose(BIG, ALL, "fr") is BIG
