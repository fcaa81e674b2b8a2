"""The pane shows one recording in whatever state it is."""

from collections.abc import Sequence

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.core.job import Job, JobStage, JobStatus
from app.core.model import imported
from app.core.recording import Recording, RecordingStatus
from app.core.transcript import Segment, Transcript
from app.library.search import matches
from app.ui.transcript.pane import TranscriptPane
from tests.helpers.ui_fakes import job, recording, running

LINE = (Segment(0, 1, "So it begins."),)


def pane_of(
    qtbot: QtBot,
    shown: Recording,
    parts: Sequence[Segment] = (),
    its_job: Job | None = None,
) -> TranscriptPane:
    pane = TranscriptPane(matches, lambda model_id: (model_id or "").title())
    qtbot.addWidget(pane)
    pane.show_recording(shown, Transcript(tuple(parts), "en", "nano"), its_job)
    pane.resize(500, 400)
    pane.show()
    qtbot.waitExposed(pane)
    return pane


def test_a_finished_recording_shows_its_facts(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, recording(1, "<b>Talk</b>", duration_s=125.0), LINE)
    assert pane.title_label.text() == "<b>Talk</b>"
    assert pane.title_label.textFormat() is Qt.TextFormat.PlainText
    assert "2:05 · English · Nano" in pane.facts_label.text()
    assert pane.text.isVisible()
    assert not pane.work_strip.isVisible()
    assert pane.export_button.isEnabled()


def test_a_waiting_recording_says_so(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, recording(1, status=RecordingStatus.PENDING), (), job(1))
    assert pane.state.isVisible()
    assert pane.state.title_label.text() == "Waiting"
    assert pane.work_strip.isVisible()
    assert not pane.export_button.isEnabled()


@pytest.mark.parametrize(
    ("stage", "title"),
    [(JobStage.READING, "Reading the file"), (JobStage.LOADING_MODEL, "Loading the model")],
)
def test_what_takes_long_before_the_first_word_is_named(
    qtbot: QtBot, stage: JobStage, title: str
) -> None:
    its_job = job(1, status=JobStatus.RUNNING, stage=stage)
    pane = pane_of(qtbot, recording(1, status=RecordingStatus.WORKING), (), its_job)
    assert pane.state.title_label.text() == title
    assert pane.state.busy.isVisible()


def test_text_fills_as_it_becomes_final(qtbot: QtBot) -> None:
    working = recording(1, status=RecordingStatus.WORKING, language=None)
    pane = pane_of(qtbot, working, (), running(1))
    pane.append(LINE, "de")
    pane.append(LINE, "de")  # told twice, shown once
    pane.append([Segment(3, 4, "And goes on.")], "de")
    assert pane.text.toPlainText() == "So it begins.\nAnd goes on."
    assert pane.text.isVisible()
    assert "English" in pane.facts_label.text() or "German" in pane.facts_label.text()


def test_progress_pause_and_cancel(qtbot: QtBot) -> None:
    working = recording(1, status=RecordingStatus.WORKING)
    pane = pane_of(qtbot, working, LINE, running(1, done_s=300.0))
    assert pane.progress.value() == 500
    with qtbot.waitSignal(pane.pause_requested) as told:
        pane.pause_button.click()
    assert told.args == ["j000001"]
    pane.show_job(job(1, status=JobStatus.PAUSED, done_s=300.0))
    assert pane.pause_button.accessibleName() == "Resume"
    with qtbot.waitSignal(pane.resume_requested):
        pane.pause_button.click()
    with qtbot.waitSignal(pane.cancel_requested):
        pane.cancel_button.click()


def test_a_failure_without_text_offers_retry(qtbot: QtBot) -> None:
    failed = recording(1, status=RecordingStatus.FAILED, error="It <b>broke</b>.", hint="Mend it.")
    pane = pane_of(qtbot, failed)
    assert pane.state.title_label.text() == "It <b>broke</b>."
    assert pane.state.title_label.textFormat() is Qt.TextFormat.PlainText
    assert [label.text() for label in pane.state.line_labels] == ["Mend it."]
    with qtbot.waitSignal(pane.retry_requested) as told:
        pane.state.buttons[0].click()
    assert told.args == ["r000001"]


def test_a_failure_with_text_keeps_it_and_offers_retry(qtbot: QtBot) -> None:
    failed = recording(1, status=RecordingStatus.FAILED, error="It broke.", hint="Mend it.")
    pane = pane_of(qtbot, failed, LINE)
    banner = pane.banners.banner("notice")
    assert banner is not None
    assert banner.message == "It broke."
    assert pane.text.isVisible()
    with qtbot.waitSignal(pane.retry_requested):
        banner.buttons[0].click()


def test_the_notice_goes_when_work_goes_on(qtbot: QtBot) -> None:
    cancelled = recording(1, status=RecordingStatus.CANCELLED)
    pane = pane_of(qtbot, cancelled, LINE)
    assert pane.banners.banner("notice") is not None
    pane.show_job(job(1))
    assert pane.banners.banner("notice") is None


def test_silence_is_named(qtbot: QtBot) -> None:
    pane = pane_of(qtbot, recording(1, status=RecordingStatus.EMPTY))
    assert pane.state.title_label.text() == "No speech found"


def test_a_library_that_cannot_be_written_offers_no_changes(qtbot: QtBot) -> None:
    failed = recording(1, status=RecordingStatus.FAILED, error="It broke.")
    pane = TranscriptPane(matches, lambda _model_id: "")
    qtbot.addWidget(pane)
    pane.set_writable(False)
    pane.show_recording(failed, Transcript(), None)
    assert pane.state.buttons == []
    assert not pane.again_action.isEnabled()
    assert not pane.remove_action.isEnabled()
    pane.show_many(3, can_write=False)
    assert [button.text() for button in pane.nothing.buttons] == ["Export…"]


def test_a_text_made_elsewhere_says_where_it_came_from(qtbot: QtBot) -> None:
    taken = recording(1, model_id=imported("talk <b>.srt"))
    pane = pane_of(qtbot, taken, LINE)
    banner = pane.banners.banner("source")
    assert banner is not None
    assert banner.message == "This text was taken from “talk <b>.srt”; Undertone did not write it."
    with qtbot.waitSignal(pane.again_requested):
        banner.buttons[0].click()
    pane.show_recording(taken, None, None)
    assert pane.banners.banner("source") is banner
    banner.close_button.click()
    pane.show_recording(taken, None, None)
    assert pane.banners.banner("source") is None
    pane.show_recording(recording(2), Transcript(LINE), None)
    assert pane.banners.banner("source") is None
