"""The engine's side of takes: which model makes the text, what happens when it fails or hangs.

A take is never harmed here: whatever the engine does, its sound goes on being recorded. A failed
run is followed by one behind the last final, with the next model once the first has failed twice; a
step that does not come back is given up after a deadline, though nothing can end it but a new start
of the app.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.config.settings import Settings
from app.core.errors import AppError, ModelError
from app.core.events import SegmentsFinal
from app.core.job import Priority
from app.core.language import AUTO
from app.core.model import Model
from app.core.recording import RecordingKind
from app.core.text import TextRules
from app.engine.base import Options
from app.engine.loop import EngineLoop
from app.engine.memory import Residency
from app.models.store import ModelStore
from app.pipeline import problems
from app.pipeline.breaker import Breaker
from app.pipeline.live import LiveOrder, transcribe_take
from app.pipeline.main_thread import MainThread
from app.pipeline.spoken_text import cleaned, glossary_of, rules_of
from app.pipeline.take import Take, TakeKeeper
from app.pipeline.warm import Warmth

_log = logging.getLogger(__name__)

HANG_S = 20.0  # a step takes 60 ms, loading a piece of a large model a few seconds
BEHIND_S = 30.0  # from here on a person is told that the words come late
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class RecognitionParts:
    """What recognition works with.

    Attributes:
        residency: the loaded models; touched on the engine thread only.
        warmth: likewise.
        keeper: keeps what is final.
        main: where results are posted to.
    """

    loop: EngineLoop
    residency: Residency
    warmth: Warmth
    store: ModelStore
    keeper: TakeKeeper
    main: MainThread


class Recognition:
    """Runs takes on the engine. Owner: the main thread.

    Args:
        parts: what it works with.
        settings: asked at the start of each run.
        breaker: which models are set aside.
        hang_s: a step that takes longer does not come back.
    """

    def __init__(
        self,
        parts: RecognitionParts,
        settings: Callable[[], Settings],
        *,
        breaker: Breaker | None = None,
        hang_s: float = HANG_S,
    ) -> None:
        self._parts = parts
        self._loop = parts.loop
        self._store = parts.store
        self._main = parts.main
        self._settings = settings
        self._breaker = breaker or Breaker()
        self._hang_s = hang_s
        self._running: dict[str, Take] = {}
        self._notices: dict[str, AppError] = {}  # by take: which other model works for it
        self._is_watching = False
        self._on_final: Callable[[Take, SegmentsFinal], None] = lambda _take, _final: None
        self._on_over: Callable[[Take], None] = lambda _take: None
        self._on_silence: Callable[[Take], None] = lambda _take: None
        self._show: Callable[[Take], None] = lambda _take: None

    def attach(
        self,
        on_final: Callable[[Take, SegmentsFinal], None],
        on_over: Callable[[Take], None],
        on_silence: Callable[[Take], None],
        show: Callable[[Take], None],
    ) -> None:
        """Say who is told, in the main thread, of finals, ends, silences and changes."""
        self._on_final, self._on_over = on_final, on_over
        self._on_silence, self._show = on_silence, show

    @property
    def is_hanging(self) -> bool:
        """Whether the engine is in a step that does not come back."""
        return self._loop.busy_for_s() > self._hang_s

    def start(self, take: Take) -> None:
        """Make text of `take`, from behind what is final; the model is loaded meanwhile."""
        settings = self._settings()
        try:
            wanted = self._store.find(settings.model_id)
        except AppError as error:
            self._give_up(take, error)
            return
        if self.is_hanging:
            take.model = wanted
            self._give_up_on_hanging(take)
            return
        language = "" if settings.language == AUTO else settings.language
        model = self._breaker.choose(wanted, self._store.installed(), language)
        if model is None:
            take.model = wanted
            self._give_up(take, problems.model_failed(wanted))
            return
        if model is not wanted:
            self._notices[take.take_id] = problems.model_set_aside(wanted, model)
            take.problem = self._notices[take.take_id]
        take.model = model
        take.needs_relaunch = False
        take.run += 1
        self._submit(take, model, settings)
        self._running[take.take_id] = take
        self._watch()

    def cancel(self, take: Take) -> None:
        """Make no more text of `take`; what it says from here on is not heard."""
        if self._running.pop(take.take_id, None) is not None:
            self._loop.cancel(_job_id(take))
        take.run += 1

    def give_another_try(self, take: Take) -> None:
        """Let the next model try; when all have failed, let all try anew."""
        if take.model is None or take.needs_relaunch:
            return
        self._breaker.set_aside(take.model.model_id)
        try:
            wanted = self._store.find(self._settings().model_id)
        except AppError:
            return
        if self._breaker.choose(wanted, self._store.installed()) is None:
            self._breaker.forgive()

    def problem(self, take: Take) -> AppError | None:
        """Return what a person should know about the text of `take`."""
        return take.error or self._notices.get(take.take_id)

    def forget(self, take: Take) -> None:
        """Note that `take` is over."""
        self._notices.pop(take.take_id, None)

    def _submit(self, take: Take, model: Model, settings: Settings) -> None:
        options = Options(
            language=None if settings.language == AUTO else settings.language,
            languages=settings.languages or model.languages,
            wants_words=model.has_word_times,
            glossary=glossary_of(settings),
        )
        order = LiveOrder(
            take.take_id,
            take.folder.journal,
            model,
            options,
            start_s=take.kept_s,
            silence_s=settings.auto_stop_s if take.kind is RecordingKind.DICTATION else 0,
        )
        progress = _Progress(self, take, take.run, rules_of(settings))
        parts = self._parts
        priority = Priority.LIVE_PARTIAL if take.ended is None else Priority.LIVE_FINAL
        self._loop.submit(
            _job_id(take),
            priority,
            lambda: transcribe_take(order, parts.residency, parts.warmth, progress),
        )

    # What the engine says; posted to the main thread.

    def keep(
        self, take: Take, run: int, final: SegmentsFinal, rules: TextRules
    ) -> SegmentsFinal | None:
        """Clean a final and keep it, if it is of the run that counts. Thread: engine."""
        if take.run != run:
            return None
        now = datetime.fromtimestamp(take.created_at)
        try:
            segments = tuple(cleaned(s, final.language, rules, now) for s in final.segments)
            final = replace(final, segments=segments)
        except Exception:  # noqa: BLE001  # a text rule must not cost the words, nor the model
            _log.exception("cleaning a final failed")
        self._parts.keeper.keep(take, final)
        self._main.post(lambda: self._on_final(take, final))
        return final

    def tell_silence(self, take: Take) -> None:
        """Thread: engine."""
        self._main.post(lambda: self._on_silence(take))

    def tell_end(self, take: Take, run: int, error: Exception | None) -> None:
        """Thread: engine."""
        self._main.post(lambda: self._on_ended(take, run, error))

    def _on_ended(self, take: Take, run: int, error: Exception | None) -> None:
        if take.run != run:
            return
        self._running.pop(take.take_id, None)
        if error is not None:
            self._on_failed(take, error)
            return
        take.is_recognised = True
        self._on_over(take)

    def _on_failed(self, take: Take, error: Exception) -> None:
        assert take.model is not None
        if isinstance(error, ModelError):
            self._breaker.set_aside(take.model.model_id)  # trying again finds the same files
        else:
            self._breaker.failed(take.model.model_id)
        failed = take.model
        self.start(take)
        if take.is_given_up:
            if isinstance(error, AppError):
                take.error = error
            take.model = failed
        self._show(take)

    def _give_up(self, take: Take, error: AppError) -> None:
        take.error = take.problem = error
        take.is_given_up = True
        self._on_over(take)

    def _give_up_on_hanging(self, take: Take) -> None:
        take.needs_relaunch = True
        title = take.model.title if take.model is not None else ""
        self._give_up(take, problems.model_hangs(title))

    def _watch(self) -> None:
        if not self._is_watching:
            self._is_watching = True
            self._main.after(_LOOK_S, self._look)

    def _look(self) -> None:
        """Give up on what hangs; look again as long as anything runs."""
        self._is_watching = False
        if self.is_hanging:
            for take in list(self._running.values()):
                if take.model is not None:
                    self._breaker.failed(take.model.model_id)
                self.cancel(take)
                self._give_up_on_hanging(take)
        for take in self._running.values():
            self._look_at_lag(take, take.duration_s - take.heard_s)
        if self._running:
            self._watch()

    def _look_at_lag(self, take: Take, behind_s: float) -> None:
        """Say once that the words come late; nothing of the sound is lost by that."""
        if take.ended is None and behind_s > BEHIND_S and take.take_id not in self._notices:
            self._notices[take.take_id] = problems.words_come_late()
            take.problem = take.problem or self._notices[take.take_id]
            self._show(take)


class _Progress:
    """What one run of one take sees of the take. Thread: engine."""

    def __init__(self, recognition: Recognition, take: Take, run: int, rules: TextRules) -> None:
        self._recognition = recognition
        self._rules = rules
        self._take = take
        self._run = run
        self._journal: Path = take.folder.journal

    def may_begin(self) -> bool:
        return self._take.is_known and self._journal.exists()

    def is_growing(self) -> bool:
        return self._take.ended is None

    def captured_s(self) -> float:
        return self._take.duration_s

    def on_heard(self, heard_s: float) -> None:
        self._take.heard_s = heard_s

    def on_final(self, final: SegmentsFinal) -> SegmentsFinal | None:
        return self._recognition.keep(self._take, self._run, final, self._rules)

    def on_silence(self) -> None:
        self._recognition.tell_silence(self._take)

    def on_ended(self, error: Exception | None) -> None:
        self._recognition.tell_end(self._take, self._run, error)


def _job_id(take: Take) -> str:
    return f"{take.take_id}.{take.run}"
