"""What the Mac adapters call exists in Apple's SDK, with the number of arguments they give."""

import ast
import ctypes
from pathlib import Path

import pytest

from app.macos import carbon
from tests.helpers.macsdk import MacStandIn, faults_in, load_sdk

APP = Path(__file__).parents[2] / "app"
SOURCES = sorted((APP / "macos").glob("*.py"))
CORE_AUDIO = APP / "audio" / "coreaudio.py"


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: file.stem)
def test_every_use_of_the_mac_is_declared(file: Path) -> None:
    assert faults_in(file.read_text("utf-8"), load_sdk()) == []


def test_ctypes_signatures_have_the_headers_argument_counts() -> None:
    functions = load_sdk().functions
    for name, (_, arguments) in carbon.SIGNATURES.items():
        assert functions[name] == len(arguments), name


def declared_in(source: str) -> dict[str, int]:
    """The functions that get `argtypes` in a module, and how many."""
    return {
        target.value.attr: len(node.value.elts)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple)
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr == "argtypes"
        if isinstance(target.value, ast.Attribute)
    }


def test_core_audio_is_called_with_the_headers_argument_counts() -> None:
    declared = declared_in(CORE_AUDIO.read_text("utf-8"))
    assert len(declared) == 6
    functions = load_sdk().functions
    assert {name: functions[name] for name in declared} == declared


def test_core_audio_calls_nothing_undeclared() -> None:
    tree = ast.parse(CORE_AUDIO.read_text("utf-8"))
    called = {
        node.func.attr: len(node.args)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr.startswith(("AudioObject", "CF"))
    }
    assert called == declared_in(CORE_AUDIO.read_text("utf-8"))


def test_macos_modules_import_nothing_of_the_mac_at_the_top() -> None:
    outside = {"objc", "AppKit", "Quartz", "Foundation", "ApplicationServices", "AVFoundation"}
    outside |= {"ServiceManagement", "UserNotifications", "Xlib"}
    for file in SOURCES:
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                assert not outside & {alias.name.split(".")[0] for alias in node.names}, file
            elif isinstance(node, ast.ImportFrom):
                assert (node.module or "").split(".")[0] not in outside, file


@pytest.mark.parametrize(
    ("planted", "fault"),
    [
        ("AppKit.NSPasteboard.generalPasteBoard()", "generalPasteBoard"),
        ("AppKit.NSPasteboard.generalPasteboard(1)", "with 1 arguments"),
        ("AppKit.NSPastebord", "not declared"),
        ("AppKit.NSApplicationActivationPolicyAccesory", "not declared"),
        ("Quartz.CGEventPost(1)", "takes 2 arguments, not 1"),
        ("Quartz.CGEventPots(1, 2)", "not declared"),
        ("board.setString_forTypes_(a, b)", "setString_forTypes_"),
        ("board.setString_forType_(a)", "with 1 arguments"),
        ("board.changesCount()", "changesCount"),
        ("board.changeCount(1)", "with 1 arguments"),
        ("self._carbon.RegisterEventHotKey(1, 2, 3, 4, 5)", "with 5 arguments"),
        ("carbon.RegisterHotKey(1)", "no function"),
        (
            "class P(AppKit.NSObject):\n"
            "    def pasteboard_item_provideDataForTypes_(self, a, b, c): ...",
            "overrides nothing",
        ),
    ],
)
def test_planted_mistakes_are_caught(planted: str, fault: str) -> None:
    faults = faults_in("import AppKit\nimport Quartz\n" + planted, load_sdk())
    assert len(faults) == 1
    assert fault in faults[0]


@pytest.mark.parametrize(
    "right",
    [
        "AppKit.NSPasteboard.generalPasteboard().clearContents()",
        "board.setString_forType_(a, AppKit.NSPasteboardTypeString)",
        "Quartz.CGEventPost(Quartz.kCGSessionEventTap, event)",
        "carbon.IsSecureEventInputEnabled()",
    ],
)
def test_right_calls_pass(right: str) -> None:
    assert faults_in("import AppKit\nimport Quartz\n" + right, load_sdk()) == []


def test_stand_ins_refuse_what_a_mac_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    mac = MacStandIn()
    mac.install(monkeypatch)
    import AppKit
    import Quartz

    mac.answers["NSPasteboard.generalPasteboard"] = board = mac.instance("NSPasteboard")
    mac.answers["NSPasteboard.changeCount"] = 7
    assert AppKit.NSPasteboard.generalPasteboard() is board
    assert board.changeCount() == 7
    board.setString_forType_("text", AppKit.NSPasteboardTypeString)
    assert mac.args("NSPasteboard.setString_forType_") == [("text", "NSPasteboardTypeString")]
    with pytest.raises(AttributeError):
        board.setString_forTypes_("text", 1)
    with pytest.raises(TypeError):
        board.setString_forType_("text")
    with pytest.raises(AttributeError):
        AppKit.NSPasteboard.changeCount()  # an instance selector
    with pytest.raises(AttributeError):
        Quartz.CGEventPots(1, 2)
    with pytest.raises(TypeError):
        Quartz.CGEventPost(1)
    assert Quartz.kCGSessionEventTap == 1
    with pytest.raises(AttributeError):
        mac.library(carbon.SIGNATURES).RegisterHotKey()
    with pytest.raises(ctypes.ArgumentError):
        mac.library(carbon.SIGNATURES).CFRelease(object())
    with pytest.raises(AttributeError):
        mac.library({"RegisterEventHotKey": (None, (ctypes.c_int,))})
    with pytest.raises(TypeError):

        class Wrong(AppKit.NSObject):  # type: ignore[misc]
            def pasteboard_item_provideDataForType_(self, board: object) -> None: ...
