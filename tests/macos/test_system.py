"""Permissions, overlay, menu-bar item, Dock, notifications, power, holds and login item: the Mac's
forms against stand-ins, and the fakes.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import AppError
from app.macos import (
    awake,
    dock,
    login_item,
    motion,
    notify,
    panel,
    permissions,
    power,
    services,
    status_item,
)
from app.macos.awake import FakeAwake, MacAwake, Need
from app.macos.dock import FakeDock, MacDock
from app.macos.login_item import FakeLoginItem, LoginItem, LoginState, MacLoginItem, XdgLoginItem
from app.macos.notify import FakeNotifier, MacNotifier, NoNotifier, Note
from app.macos.panel import FakePanels, MacPanels
from app.macos.permissions import FakePermissions, Grant, MacPermissions, Permission
from app.macos.power import FakePower, Heat, MacPower, PowerEvent
from app.macos.status_item import FakeStatusItem, MacStatusItem, MenuEntry
from app.macos.time_machine import leave_out_of_backups
from tests.helpers.macsdk import MacStandIn


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> MacStandIn:
    mac = MacStandIn()
    mac.install(monkeypatch)
    return mac


# ---- permissions ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "grant"),
    [(0, Grant.NOT_ASKED), (1, Grant.DENIED), (2, Grant.DENIED), (3, Grant.GRANTED)],
)
def test_the_microphone_permission(mac: MacStandIn, status: int, grant: Grant) -> None:
    mac.answers["AVCaptureDevice.authorizationStatusForMediaType_"] = status
    assert MacPermissions().state(Permission.MICROPHONE) is grant
    assert MacPermissions().probe(Permission.MICROPHONE) is grant


def test_the_microphone_is_asked_for(mac: MacStandIn) -> None:
    mac.answers["AVCaptureDevice.requestAccessForMediaType_completionHandler_"] = (
        lambda kind, answer: answer(kind == "AVMediaTypeAudio")
    )
    heard: list[Grant] = []
    MacPermissions().request(Permission.MICROPHONE, heard.append)
    assert heard == [Grant.GRANTED]


@pytest.mark.parametrize(
    ("trusted", "error", "grant"),
    [
        (True, 0, Grant.GRANTED),
        (True, -25212, Grant.GRANTED),
        (True, -25211, Grant.STALE),
        (False, -25211, Grant.DENIED),
    ],
)
def test_accessibility_is_probed(mac: MacStandIn, trusted: bool, error: int, grant: Grant) -> None:
    mac.answers |= {"AXIsProcessTrusted": trusted, "AXUIElementCopyAttributeValue": (error, None)}
    assert MacPermissions().probe(Permission.ACCESSIBILITY) is grant


@pytest.mark.parametrize(
    ("preflight", "tap", "is_on", "grant"),
    [
        (True, object(), True, Grant.GRANTED),
        (True, object(), False, Grant.STALE),
        (True, None, False, Grant.STALE),
        (False, None, False, Grant.DENIED),
        (False, object(), True, Grant.GRANTED),
    ],
)
def test_input_monitoring_is_probed(
    mac: MacStandIn, preflight: bool, tap: object, is_on: bool, grant: Grant
) -> None:
    mac.answers |= {
        "CGPreflightListenEventAccess": preflight,
        "CGEventTapCreate": tap,
        "CGEventTapIsEnabled": is_on,
    }
    assert MacPermissions().probe(Permission.INPUT_MONITORING) is grant
    assert len(mac.args("CFMachPortInvalidate")) == (tap is not None)


def test_the_rest_is_asked_for_and_settings_opened(mac: MacStandIn) -> None:
    mac.answers |= {
        "AXIsProcessTrustedWithOptions": False,
        "CGRequestListenEventAccess": True,
        "NSWorkspace.sharedWorkspace": mac.instance("NSWorkspace"),
        "NSURL.URLWithString_": lambda text: text,
    }
    heard: list[Grant] = []
    granted = MacPermissions()
    granted.request(Permission.ACCESSIBILITY, heard.append)
    granted.request(Permission.INPUT_MONITORING, heard.append)
    assert heard == [Grant.DENIED, Grant.GRANTED]
    assert mac.args("AXIsProcessTrustedWithOptions") == [({"kAXTrustedCheckOptionPrompt": True},)]
    for permission in Permission:
        granted.open_settings(permission)
    pages = [args[0].partition("?")[2] for args in mac.args("NSWorkspace.openURL_")]
    assert pages == ["Privacy_Microphone", "Privacy_Accessibility", "Privacy_ListenEvent"]


def test_fake_permissions() -> None:
    fake = FakePermissions(accessibility=Grant.STALE, microphone=Grant.NOT_ASKED)
    fake.answers[Permission.MICROPHONE] = Grant.GRANTED
    assert fake.state(Permission.ACCESSIBILITY) is Grant.GRANTED
    assert fake.probe(Permission.ACCESSIBILITY) is Grant.STALE
    heard: list[Grant] = []
    fake.request(Permission.MICROPHONE, heard.append)
    fake.request(Permission.INPUT_MONITORING, heard.append)
    assert heard == [Grant.GRANTED, Grant.GRANTED]
    fake.open_settings(Permission.MICROPHONE)
    assert fake.opened == [Permission.MICROPHONE]


# ---- overlay ----------------------------------------------------------------------------------


def test_a_panel_is_touched_up(mac: MacStandIn) -> None:
    view, window = mac.instance("NSView"), mac.instance("NSWindow")
    mac.answers |= {
        "objc.objc_object": view,
        "NSView.window": window,
        "NSWindow.styleMask": 0b10000,
    }
    assert MacPanels().make_overlay(4711)
    assert mac.args("objc.objc_object") == [(4711,)]
    assert mac.args("NSWindow.setStyleMask_") == [(0b10000 | 128,)]
    assert mac.args("NSWindow.setLevel_") == [(25,)]
    assert mac.args("NSWindow.setCollectionBehavior_") == [(1 | 256 | 16 | 64,)]
    assert mac.args("NSWindow.setHidesOnDeactivate_") == [(False,)]
    assert mac.args("NSWindow.setSharingType_") == [(0,)]


def test_a_view_without_window_is_left_alone(mac: MacStandIn) -> None:
    mac.answers["objc.objc_object"] = mac.instance("NSView")
    assert not MacPanels().make_overlay(1)


# ---- menu-bar item ----------------------------------------------------------------------------


@pytest.fixture
def bar(mac: MacStandIn) -> MacStandIn:
    mac.answers |= {
        "NSStatusBar.systemStatusBar": mac.instance("NSStatusBar"),
        "NSStatusBar.statusItemWithLength_": mac.instance("NSStatusItem"),
        "NSStatusItem.button": mac.instance("NSStatusBarButton"),
        "NSStatusBarButton.window": mac.instance("NSWindow"),
        "NSMenuItem.separatorItem": "separator",
    }
    return mac


def test_the_menu_bar_item(bar: MacStandIn) -> None:
    chosen: list[str] = []
    item = MacStatusItem(chosen.append, lambda paths: None)
    item.set_icon(Path("/icons/idle.pdf"), "Undertone")
    assert bar.args("NSImage.setTemplate_") == [(True,)]
    assert len(bar.args("NSStatusBarButton.setImage_")) == 1
    item.set_title("0:12")
    item.set_title("")
    assert bar.args("NSStatusBarButton.setImagePosition_") == [(2,), (1,)]
    microphone = MenuEntry("mic", "Microphone", entries=(MenuEntry("mic:1", "Built-in"),))
    item.set_menu([MenuEntry("open", "Open"), MenuEntry(), microphone])
    titles = [args[0] for args in bar.args("NSMenuItem.initWithTitle_action_keyEquivalent_")]
    assert titles == ["Open", "Microphone", "Built-in"]
    assert ("separator",) in bar.args("NSMenu.addItem_")
    target = bar.args("NSMenuItem.setTarget_")[0][0]
    bar.answers["NSMenuItem.representedObject"] = "open"
    target.chosen_(bar.instance("NSMenuItem"))
    assert chosen == ["open"]
    item.close()
    assert len(bar.args("NSStatusBar.removeStatusItem_")) == 1


def test_files_dropped_on_the_item_arrive(bar: MacStandIn) -> None:
    files: list[list[Path]] = []
    MacStatusItem(lambda entry: None, files.append)
    assert bar.args("NSWindow.registerForDraggedTypes_") == [(["NSPasteboardTypeFileURL"],)]
    target = bar.args("NSWindow.setDelegate_")[0][0]
    assert target.draggingEntered_(None) == 1
    url = bar.instance("NSURL")
    bar.answers |= {
        "NSURL.path": "/tmp/talk.m4a",
        "NSPasteboard.readObjectsForClasses_options_": [url],
    }

    class Info:
        def draggingPasteboard(self) -> Any:
            return bar.instance("NSPasteboard")

    assert target.performDragOperation_(Info())
    assert files == [[Path("/tmp/talk.m4a")]]
    bar.answers["NSPasteboard.readObjectsForClasses_options_"] = None
    assert not target.performDragOperation_(Info())
    assert len(files) == 1


@pytest.mark.parametrize(
    ("visible", "state", "shown"), [(True, 2, True), (True, 0, False), (False, 2, False)]
)
def test_a_parked_item_is_noticed(bar: MacStandIn, visible: bool, state: int, shown: bool) -> None:
    bar.answers |= {"NSStatusItem.isVisible": visible, "NSWindow.occlusionState": state}
    assert MacStatusItem(lambda entry: None, lambda paths: None).is_shown() is shown


def test_a_missing_icon_file_leaves_the_old_icon(bar: MacStandIn) -> None:
    bar.answers["NSImage.initWithContentsOfFile_"] = None
    MacStatusItem(lambda entry: None, lambda paths: None).set_icon(Path("/gone"), "x")
    assert bar.args("NSStatusBarButton.setImage_") == []


def test_the_fake_item() -> None:
    chosen: list[str] = []
    files: list[list[Path]] = []
    fake = FakeStatusItem(chosen.append, files.append)
    fake.set_icon(Path("icon"), "Undertone")
    fake.set_title("1:00")
    fake.set_menu([MenuEntry("quit", "Quit")])
    fake.choose("quit")
    fake.drop([Path("a")])
    assert (chosen, files, fake.entries[0].id) == (["quit"], [[Path("a")]], "quit")
    assert fake.is_shown()
    fake.close()
    assert not fake.is_shown()


# ---- Dock -------------------------------------------------------------------------------------


def test_the_dock(mac: MacStandIn) -> None:
    mac.answers |= {
        "NSApplication.sharedApplication": mac.instance("NSApplication"),
        "NSApplication.dockTile": mac.instance("NSDockTile"),
        "NSDockTile.size": (128.0, 128.0),
    }
    tile = MacDock()
    tile.show(True)
    tile.show(True)
    tile.show(False)
    assert mac.args("NSApplication.setActivationPolicy_") == [(0,), (1,)]
    assert len(mac.args("NSApplication.activateIgnoringOtherApps_")) == 1
    for fraction in (0.25, 1.5, None, 0.0):
        tile.set_progress(fraction)
    assert mac.args("NSProgressIndicator.setDoubleValue_") == [(0.25,), (1.0,), (0.0,)]
    assert len(mac.args("NSProgressIndicator.initWithFrame_")) == 2
    assert mac.args("NSDockTile.setContentView_")[1] == (None,)
    assert len(mac.args("NSDockTile.display")) == 4
    tile.set_badge("3")
    tile.set_badge("")
    assert mac.args("NSDockTile.setBadgeLabel_") == [("3",), (None,)]


def test_the_fake_dock() -> None:
    fake = FakeDock()
    fake.show(False)
    fake.set_progress(2.0)
    fake.set_badge("1")
    assert (fake.is_shown, fake.progress, fake.badge) == (False, 1.0, "1")


# ---- notifications ----------------------------------------------------------------------------


def test_notifications(mac: MacStandIn) -> None:
    chosen: list[str] = []
    mac.answers |= {
        "UNUserNotificationCenter.currentNotificationCenter": mac.instance(
            "UNUserNotificationCenter"
        ),
        "UNNotificationRequest.requestWithIdentifier_content_trigger_": lambda *args: args[0],
        "UNUserNotificationCenter.requestAuthorizationWithOptions_completionHandler_": (
            lambda options, answer: answer(options == 4 | 2, None)
        ),
    }
    notifier = MacNotifier(chosen.append)
    answers: list[bool] = []
    notifier.request_permission(answers.append)
    assert answers == [True]
    notifier.show(Note("job-1", "Done", "talk.m4a"))
    add = "UNUserNotificationCenter.addNotificationRequest_withCompletionHandler_"
    assert mac.args(add) == [("job-1", None)]
    notifier.withdraw("job-1")
    gone = "UNUserNotificationCenter.removeDeliveredNotificationsWithIdentifiers_"
    assert mac.args(gone) == [(["job-1"],)]
    delegate = mac.args("UNUserNotificationCenter.setDelegate_")[0][0]
    mac.answers |= {
        "UNNotificationResponse.notification": mac.instance("UNNotification"),
        "UNNotification.request": mac.instance("UNNotificationRequest"),
        "UNNotificationRequest.identifier": "job-1",
    }
    ended: list[object] = []
    delegate.userNotificationCenter_didReceiveNotificationResponse_withCompletionHandler_(
        None, mac.instance("UNNotificationResponse"), lambda: ended.append(None)
    )
    delegate.userNotificationCenter_willPresentNotification_withCompletionHandler_(
        None, None, ended.append
    )
    assert chosen == ["job-1"]
    assert ended == [None, 16]
    MacNotifier(chosen.append)  # a second one makes no second Objective-C class


@pytest.mark.parametrize(
    ("identifier", "path", "bundled"),
    [("org.undertone", "/Applications/Undertone.app", True), (None, "/usr/bin", False)],
)
def test_only_a_bundle_may_notify(
    mac: MacStandIn, identifier: str | None, path: str, bundled: bool
) -> None:
    mac.answers |= {
        "NSBundle.mainBundle": mac.instance("NSBundle"),
        "NSBundle.bundleIdentifier": identifier,
        "NSBundle.bundlePath": path,
    }
    assert notify.is_bundled() is bundled


def test_the_fake_notifier_and_none() -> None:
    answers: list[bool] = []
    refusing = FakeNotifier(lambda note_id: None, is_allowed=False)
    refusing.show(Note("a", "A"))
    refusing.request_permission(answers.append)
    allowing = FakeNotifier(lambda note_id: None)
    allowing.show(Note("a", "A"))
    assert (refusing.shown, list(allowing.shown)) == ({}, ["a"])
    allowing.withdraw("a")
    assert allowing.shown == {}
    none = NoNotifier()
    none.show(Note("a", "A"))
    none.withdraw("a")
    none.request_permission(answers.append)
    assert answers == [False, False]
    assert not none.is_available
    assert allowing.is_available


# ---- power and holds --------------------------------------------------------------------------


def test_power_is_told_and_let_go(mac: MacStandIn) -> None:
    center = mac.instance("NSNotificationCenter")
    told: list[tuple[str, Any]] = []

    def listen(name: str, _object: Any, _queue: Any, block: Any) -> str:
        told.append((name, block))
        return name

    mac.answers |= {
        "NSWorkspace.sharedWorkspace": mac.instance("NSWorkspace"),
        "NSWorkspace.notificationCenter": center,
        "NSNotificationCenter.defaultCenter": center,
        "NSNotificationCenter.addObserverForName_object_queue_usingBlock_": listen,
        "NSProcessInfo.processInfo": mac.instance("NSProcessInfo"),
        "NSProcessInfo.thermalState": 2,
        "NSProcessInfo.isLowPowerModeEnabled": True,
    }
    heard: list[PowerEvent] = []
    now = MacPower(heard.append)
    for _, block in told:
        block(None)
    assert heard == list(PowerEvent)
    assert told[0][0] == "NSWorkspaceWillSleepNotification"
    assert now.heat() is Heat.SERIOUS
    assert now.is_saving()
    now.close()
    now.close()
    assert len(mac.args("NSNotificationCenter.removeObserver_")) == 4


def test_the_fake_power() -> None:
    heard: list[PowerEvent] = []
    fake = FakePower(heard.append)
    fake.tell(PowerEvent.WILL_SLEEP)
    assert heard == [PowerEvent.WILL_SLEEP]
    assert (fake.heat(), fake.is_saving()) == (Heat.NOMINAL, False)
    fake.close()
    assert not fake.is_open


def test_a_hold_ends_even_when_the_work_fails(mac: MacStandIn) -> None:
    mac.answers |= {
        "NSProcessInfo.processInfo": mac.instance("NSProcessInfo"),
        "NSProcessInfo.beginActivityWithOptions_reason_": "activity",
    }
    with pytest.raises(ZeroDivisionError), MacAwake().hold(Need.CAPTURE, "Recording"):
        _ = 1 / 0
    options, reason = mac.args("NSProcessInfo.beginActivityWithOptions_reason_")[0]
    assert options & 0xFF00000000 == 0xFF00000000
    assert options & 0x4000
    assert options & 0x8000
    assert options & 0x100000
    assert reason == "Recording"
    assert mac.args("NSProcessInfo.endActivity_") == [("activity",)]
    with MacAwake().hold(Need.JOB, "Transcribing"):
        pass
    options, _ = mac.args("NSProcessInfo.beginActivityWithOptions_reason_")[1]
    assert not options & 0xFF00000000


def test_the_fake_hold() -> None:
    fake = FakeAwake()
    with fake.hold(Need.JOB, "Transcribing"):
        assert fake.holds == [(Need.JOB, "Transcribing")]
    assert fake.holds == []


# ---- login item -------------------------------------------------------------------------------


@pytest.fixture(params=["fake", "xdg"])
def item(request: pytest.FixtureRequest, tmp_path: Path) -> LoginItem:
    if request.param == "fake":
        return FakeLoginItem()
    return XdgLoginItem("/opt/undertone --quiet", tmp_path / "autostart")


def test_a_login_item_is_read_back(item: LoginItem) -> None:
    assert item.state() is LoginState.OFF
    assert item.set(False) is LoginState.OFF
    assert item.set(True) is LoginState.ON
    assert item.state() is LoginState.ON
    assert item.set(False) is LoginState.OFF
    item.open_settings()


def test_the_autostart_entry_names_the_command(tmp_path: Path) -> None:
    XdgLoginItem("/opt/undertone", tmp_path).set(True)
    assert "Exec=/opt/undertone\n" in (tmp_path / "undertone.desktop").read_text()


def test_an_autostart_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(AppError, match="could not be changed"):
        XdgLoginItem("x", blocked).set(True)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0, LoginState.OFF),
        (1, LoginState.ON),
        (2, LoginState.NEEDS_APPROVAL),
        (3, LoginState.UNAVAILABLE),
    ],
)
def test_the_macs_login_state(mac: MacStandIn, status: int, state: LoginState) -> None:
    mac.answers |= {
        "SMAppService.mainAppService": mac.instance("SMAppService"),
        "SMAppService.status": status,
    }
    assert MacLoginItem().state() is state


def test_the_macs_login_item_is_set(mac: MacStandIn) -> None:
    error = mac.instance("NSError")
    mac.answers |= {
        "SMAppService.mainAppService": mac.instance("SMAppService"),
        "SMAppService.status": 1,
        "SMAppService.registerAndReturnError_": (True, None),
        "SMAppService.unregisterAndReturnError_": (False, error),
        "NSError.localizedDescription": "Operation not permitted",
    }
    login = MacLoginItem()
    assert login.set(True) is LoginState.ON
    with pytest.raises(AppError, match="Operation not permitted"):
        login.set(False)
    mac.answers |= {
        "SMAppService.registerAndReturnError_": (False, error),
        "SMAppService.status": 2,
    }
    assert login.set(True) is LoginState.NEEDS_APPROVAL  # refused, but waiting for the person
    login.open_settings()
    assert mac.args("SMAppService.openSystemSettingsLoginItems") == [()]


@pytest.mark.parametrize("is_wanted", [True, False])
def test_less_motion_is_asked_of_the_system(
    mac: MacStandIn, monkeypatch: pytest.MonkeyPatch, is_wanted: bool
) -> None:
    mac.answers["NSWorkspace.sharedWorkspace"] = mac.instance("NSWorkspace")
    mac.answers["NSWorkspace.accessibilityDisplayShouldReduceMotion"] = is_wanted
    monkeypatch.setattr(sys, "platform", "darwin")
    assert motion.reduces_motion() is is_wanted
    monkeypatch.setattr(sys, "platform", "linux")
    assert not motion.reduces_motion()


def test_the_fake_login_item_refuses_outside_a_bundle() -> None:
    fake = FakeLoginItem(LoginState.UNAVAILABLE)
    with pytest.raises(AppError):
        fake.set(True)


@pytest.mark.skipif("sys.platform == 'darwin'", reason="the forms of Linux")
def test_linux_gets_forms_that_ask_for_nothing() -> None:
    assert isinstance(permissions.for_this_system(), FakePermissions)
    assert isinstance(panel.for_this_system(), FakePanels)
    assert isinstance(dock.for_this_system(), FakeDock)
    assert isinstance(power.for_this_system(lambda event: None), FakePower)
    assert isinstance(awake.for_this_system(), FakeAwake)
    assert isinstance(notify.for_this_system(lambda note_id: None), NoNotifier)
    assert isinstance(login_item.for_this_system(), XdgLoginItem)
    assert status_item.for_this_system(lambda entry: None, lambda paths: None) is None
    assert FakePanels().make_overlay(1)


# ---- Services menu ----------------------------------------------------------------------------


def test_the_services_menu(mac: MacStandIn) -> None:
    mac.answers |= {
        "NSApplication.sharedApplication": mac.instance("NSApplication"),
        "NSURL.path": "/tmp/talk.m4a",
        "NSPasteboard.readObjectsForClasses_options_": [mac.instance("NSURL")],
    }
    files: list[list[Path]] = []
    menu = services.MacServices()
    menu.offer(files.append)
    provider = mac.args("NSApplication.setServicesProvider_")[0][0]
    provider.transcribeFiles_userData_error_(mac.instance("NSPasteboard"), "", None)
    assert files == [[Path("/tmp/talk.m4a")]]
    mac.answers["NSPasteboard.readObjectsForClasses_options_"] = None
    provider.transcribeFiles_userData_error_(mac.instance("NSPasteboard"), "", None)
    assert len(files) == 1
    services.MacServices().offer(files.append)  # a second one makes no second Objective-C class
    assert isinstance(services.for_this_system(), services.FakeServices)


# ---- Time Machine -----------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [(True, None), (False, "read-only")])
def test_models_are_left_out_of_backups(
    mac: MacStandIn, answer: tuple[bool, str | None], tmp_path: Path
) -> None:
    mac.answers |= {
        "NSURL.fileURLWithPath_isDirectory_": mac.instance("NSURL"),
        "NSURL.setResourceValue_forKey_error_": answer,
    }
    assert not leave_out_of_backups(tmp_path / "not there yet", "darwin")
    assert not leave_out_of_backups(tmp_path, "linux")
    assert mac.args("NSURL.fileURLWithPath_isDirectory_") == []
    assert leave_out_of_backups(tmp_path, "darwin") is answer[0]
    assert mac.args("NSURL.fileURLWithPath_isDirectory_") == [(str(tmp_path), True)]
    ((value, key, _),) = mac.args("NSURL.setResourceValue_forKey_error_")
    assert value is True
    assert "ExcludedFromBackup" in key
