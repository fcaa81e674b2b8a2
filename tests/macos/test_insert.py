"""The contract of insertion, held by the fake and by X11 with a second program in front."""

import queue
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from app.core.errors import AppError, InsertFailed, PermissionMissing
from app.macos.front_app import FakeFrontApps, FrontApp, MacFrontApps
from app.macos.front_app import for_this_system as front_apps
from app.macos.insert import (
    FakeInserter,
    Inserter,
    InsertOutcome,
    NoInserter,
    Way,
    for_this_system,
)
from app.macos.insert_rules import Field
from app.macos.insert_x11 import X11Inserter
from tests.helpers.macsdk import MacStandIn
from tests.macos.desktop import Desktop, OtherApp, wait_for

TEXT = "Grüße, 世界 – “hello” 👋 ¿qué?\nsecond line"
IMAGE = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
X11 = pytest.param("x11", marks=pytest.mark.serial)


@dataclass
class Rig:
    """An inserter and the program it inserts into."""

    inserter: Inserter
    field_text: Callable[[], str]
    clipboard_text: Callable[[], str]
    refuse: Callable[[], None]

    def insert(self, text: str, way: Way | None = None) -> InsertOutcome:
        done: queue.Queue[InsertOutcome] = queue.Queue()
        self.inserter.insert(text, done.put, way)
        return done.get(timeout=20)

    def undo(self) -> AppError | None:
        done: queue.Queue[AppError | None] = queue.Queue()
        self.inserter.undo_last(done.put)
        return done.get(timeout=20)

    def paste_last(self) -> InsertOutcome:
        done: queue.Queue[InsertOutcome] = queue.Queue()
        self.inserter.paste_last(done.put)
        return done.get(timeout=20)


@pytest.fixture(params=["fake", X11])
def rig(request: pytest.FixtureRequest, other_program: OtherApp | None) -> Iterator[Rig]:
    if request.param == "fake":
        fake = FakeInserter()

        def refuse() -> None:
            fake.takes = False

        yield Rig(
            fake, lambda: fake.text, lambda: fake.clipboard.get("text/plain", b"").decode(), refuse
        )
        return
    app: OtherApp = request.getfixturevalue("other_app")
    inserter = X11Inserter(timeout_s=10.0)

    def refuse_in_app() -> None:
        app.ask("read_only", on=True)
        inserter.timeout_s = 0.3

    yield Rig(
        inserter,
        lambda: app.text,
        lambda: app.clipboard().get("text/plain", b"").decode(),
        refuse_in_app,
    )
    inserter.close()


def test_text_arrives_verified_and_is_told_once(rig: Rig) -> None:
    outcome = rig.insert(TEXT)
    assert outcome == InsertOutcome(Way.PASTE, TEXT, is_verified=True)
    assert outcome.was_inserted
    assert rig.field_text() == TEXT


def test_insertions_keep_their_order(rig: Rig) -> None:
    done: queue.Queue[InsertOutcome] = queue.Queue()
    for word in ("one ", "two ", "three"):
        rig.inserter.insert(word, done.put)
    assert [done.get(timeout=20).text for _ in range(3)] == ["one ", "two ", "three"]
    assert rig.field_text() == "one two three"


def test_what_is_not_taken_stays_on_the_clipboard(rig: Rig) -> None:
    rig.refuse()
    outcome = rig.insert("kept words")
    assert outcome.way is Way.CLIPBOARD
    assert not outcome.was_inserted
    assert isinstance(outcome.reason, InsertFailed)
    assert str(outcome.reason.hint)
    assert rig.clipboard_text() == "kept words"
    assert rig.field_text() == ""


def test_the_clipboard_way_only_copies(rig: Rig) -> None:
    assert rig.insert("just copied", Way.CLIPBOARD).way is Way.CLIPBOARD
    assert rig.clipboard_text() == "just copied"
    assert rig.field_text() == ""


def test_undo_takes_the_insertion_back_once(rig: Rig) -> None:
    rig.insert("gone again")
    assert rig.undo() is None
    wait_for(lambda: rig.field_text() == "")
    assert isinstance(rig.undo(), InsertFailed)


def test_the_last_text_can_be_pasted_and_copied(rig: Rig) -> None:
    assert not rig.inserter.copy_last()
    assert rig.paste_last().way is Way.REFUSED
    rig.insert("again ")
    assert rig.paste_last().way is Way.PASTE
    assert rig.field_text() == "again again "
    assert rig.inserter.copy_last()
    assert rig.clipboard_text() == "again "


# ---- X11 alone --------------------------------------------------------------------------------


@pytest.fixture
def inserter(display: Desktop) -> Iterator[X11Inserter]:
    inserter = X11Inserter(timeout_s=10.0)
    yield inserter
    inserter.close()


def insert(inserter: Inserter, text: str) -> InsertOutcome:
    done: queue.Queue[InsertOutcome] = queue.Queue()
    inserter.insert(text, done.put)
    return done.get(timeout=20)


@pytest.mark.serial
@pytest.mark.parametrize("image", [IMAGE, IMAGE * 3000], ids=["small", "in pieces"])
def test_the_clipboard_is_byte_equal_and_focus_never_left(
    display: Desktop, other_app: OtherApp, inserter: X11Inserter, image: bytes
) -> None:
    with OtherApp(display, "owner") as owner:
        owner.own_clipboard(
            **{
                "text__plain": "before — 前".encode(),
                "image__png": image,
                "text__html": b"<b>before</b>",
                "application__x-thing": b"\x00\x01\x02",
            }
        )
        before = owner.clipboard()
        assert before["image/png"] == image
        other_app.bring_to_front(display)
        losses, window = other_app.ask("losses"), display.active_window()
        assert insert(inserter, TEXT).is_verified
        assert other_app.text == TEXT
        # Qt hears of a new clipboard through an event, so the first look may be the old one.
        wait_for(lambda: other_app.clipboard().items() >= before.items())
        assert other_app.ask("losses") == losses
        assert display.active_window() == window


@pytest.mark.serial
def test_a_newer_copy_wins(display: Desktop, other_app: OtherApp, inserter: X11Inserter) -> None:
    other_app.own_clipboard(text__plain=b"old")
    other_app.ask("read_only", on=True)
    done: queue.Queue[InsertOutcome] = queue.Queue()
    inserter.insert("ours", done.put)
    wait_for(lambda: other_app.clipboard().get("text/plain") == b"ours")
    other_app.own_clipboard(text__plain=b"newer")
    done.get(timeout=20)
    assert other_app.clipboard()["text/plain"] == b"newer"


@pytest.mark.serial
def test_a_copy_of_ours_wins_over_a_paste_under_way(
    display: Desktop, other_app: OtherApp, inserter: X11Inserter
) -> None:
    other_app.own_clipboard(text__plain=b"old")
    other_app.ask("read_only", on=True)
    done: queue.Queue[InsertOutcome] = queue.Queue()
    inserter.insert("words", done.put)
    inserter.copy("chosen words")
    outcome = done.get(timeout=20)
    assert outcome.way is Way.REFUSED
    wait_for(lambda: other_app.clipboard().get("text/plain") == b"chosen words")


@pytest.mark.serial
def test_an_empty_clipboard_is_empty_again(
    display: Desktop, other_app: OtherApp, inserter: X11Inserter
) -> None:
    other_app.own_clipboard(text__plain=b"x")
    other_app.ask("disown")
    assert insert(inserter, "words").is_verified
    wait_for(lambda: other_app.clipboard() == {})


@pytest.mark.serial
def test_held_modifiers_do_not_spoil_the_paste(
    display: Desktop, other_app: OtherApp, inserter: X11Inserter
) -> None:
    display.key("Alt_L", is_down=True)
    display.key("Shift_R", is_down=True)
    assert insert(inserter, "clean").is_verified
    assert other_app.text == "clean"
    display.key("Alt_L", is_down=False)
    display.key("Shift_R", is_down=False)


@pytest.mark.serial
def test_with_no_window_the_text_is_copied_and_told(
    display: Desktop, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Desktop()
    empty.start()
    monkeypatch.setenv("DISPLAY", empty.name)
    inserter = X11Inserter(timeout_s=0.3)
    outcome = insert(inserter, "nobody there")
    apps = front_apps()
    assert apps.now() is None
    apps.close()
    inserter.close()
    empty.close()
    assert outcome.way is Way.CLIPBOARD
    assert isinstance(outcome.reason, InsertFailed)


@pytest.mark.serial
def test_a_long_text_arrives_whole(
    display: Desktop, other_app: OtherApp, inserter: X11Inserter
) -> None:
    text = "Sätze und 語. " * 40_000
    assert insert(inserter, text).is_verified
    wait_for(lambda: other_app.text == text)


@pytest.mark.serial
def test_the_x11_front_app_is_the_one_with_the_focus(display: Desktop, other_app: OtherApp) -> None:
    apps = front_apps()
    found = apps.now()
    apps.close()
    assert found is not None
    assert found.id == "other"
    assert found.pid == other_app.pid


# ---- the fake's own, and none -----------------------------------------------------------------


def test_a_password_field_gets_nothing_and_neither_does_the_clipboard() -> None:
    fake = FakeInserter(Field.SECURE)
    outcome = insert(fake, "secret?")
    assert outcome.way is Way.REFUSED
    assert isinstance(outcome.reason, InsertFailed)
    assert fake.clipboard == {}
    assert fake.text == ""


def test_without_trust_the_text_is_copied_and_told() -> None:
    fake = FakeInserter()
    fake.is_trusted = False
    outcome = insert(fake, "words")
    assert outcome.way is Way.CLIPBOARD
    assert isinstance(outcome.reason, PermissionMissing)
    assert fake.clipboard == {"text/plain": b"words"}


def test_a_readable_caret_sets_space_and_capital() -> None:
    fake = FakeInserter(Field.TEXT)
    fake.text, fake.caret = "I went", 6
    done: list[InsertOutcome] = []
    fake.insert("And left.", done.append, language="en")
    assert fake.text == "I went and left."
    assert done[0].way is Way.ACCESSIBILITY


def test_undo_refuses_when_the_caret_moved() -> None:
    fake = FakeInserter()
    insert(fake, "words")
    fake.caret = 0
    done: list[AppError | None] = []
    fake.undo_last(done.append)
    assert isinstance(done[0], InsertFailed)


def test_without_a_desktop_insertion_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    inserter = for_this_system(lambda delay_s, function: None)
    assert isinstance(inserter, NoInserter)
    assert insert(inserter, "words").way is Way.REFUSED
    assert not inserter.copy_last()
    with pytest.raises(InsertFailed):
        inserter.copy("words")
    assert front_apps().now() is None


def test_the_macs_front_app(monkeypatch: pytest.MonkeyPatch) -> None:
    mac = MacStandIn()
    mac.install(monkeypatch)
    mac.answers["NSWorkspace.sharedWorkspace"] = mac.instance("NSWorkspace")
    assert MacFrontApps().now() is None
    program = mac.instance("NSRunningApplication")
    mac.answers |= {
        "NSWorkspace.frontmostApplication": program,
        "NSRunningApplication.bundleIdentifier": "com.apple.Notes",
        "NSRunningApplication.localizedName": "Notes",
        "NSRunningApplication.processIdentifier": 42,
    }
    assert MacFrontApps().now() == FrontApp("com.apple.Notes", "Notes", 42)


def test_the_fakes_front_app() -> None:
    app = FrontApp("a", "A", 1)
    assert FakeFrontApps(app).now() == app
