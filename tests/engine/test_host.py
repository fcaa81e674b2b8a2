"""The engine's plain thread ends when it can, and says so when it cannot."""

import threading
from collections.abc import Generator

from app.core.job import Priority
from app.engine.host import EngineThread
from app.engine.loop import EngineLoop


def test_a_thread_in_a_call_that_does_not_return_is_told_apart() -> None:
    begun, comes_back = threading.Event(), threading.Event()

    def stuck() -> Generator[None, None, None]:
        begun.set()
        comes_back.wait(10)
        yield None

    loop = EngineLoop(lambda _: None)
    engine = EngineThread(loop)
    engine.start()
    loop.submit("stuck", Priority.FILE, stuck)
    assert begun.wait(10)
    assert not engine.stop(0.05)
    comes_back.set()
    assert engine.stop(10)
