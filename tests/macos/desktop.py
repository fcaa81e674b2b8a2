"""A private X11 desktop (Xvfb and openbox) with a second program that has a text field."""

import base64
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.helpers.answerer import Answerer

_START_S = 20.0
OTHER_APP = Path(__file__).with_name("other_app.py")


class Desktop:
    """The X server, its window manager, and what a person's hands do there."""

    @staticmethod
    def is_possible() -> bool:
        return all(shutil.which(program) for program in ("Xvfb", "openbox"))

    def __init__(self, screen: str = "1280x800x24") -> None:
        read_end, write_end = os.pipe()
        command = ["Xvfb", "-displayfd", str(write_end), "-screen", "0", screen]
        command += ["-nolisten", "tcp"]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._server = subprocess.Popen(command, pass_fds=[write_end], **quiet)
        os.close(write_end)
        with os.fdopen(read_end) as answer:
            assert select.select([answer], [], [], _START_S)[0], "Xvfb did not start"
            self.name = f":{answer.readline().strip()}"
        self.environment = {**os.environ, "DISPLAY": self.name, "QT_QPA_PLATFORM": "xcb"}
        self._manager = subprocess.Popen(["openbox"], env=self.environment, **quiet)

    def start(self) -> None:
        """Connect the hands, once the window manager answers."""
        from Xlib import X
        from Xlib.display import Display

        self.display = Display(self.name)
        root = self.display.screen().root
        supported = self.display.get_atom("_NET_SUPPORTING_WM_CHECK")
        wait_for(lambda: root.get_full_property(supported, X.AnyPropertyType) is not None)

    def close(self) -> None:
        self.display.close()
        for process in (self._manager, self._server):
            process.terminate()
            process.wait(_START_S)

    def key(self, name: str, is_down: bool) -> None:
        """Press or release the key that gives the keysym `name`."""
        from Xlib import XK, X
        from Xlib.ext import xtest

        code = self.display.keysym_to_keycode(XK.string_to_keysym(name))
        xtest.fake_input(self.display, X.KeyPress if is_down else X.KeyRelease, code)
        self.display.sync()

    def activate(self, window: int) -> None:
        """Bring a window to the front as a task bar does, whatever asked for it before."""
        from Xlib import X
        from Xlib.protocol import event

        root = self.display.screen().root
        message = event.ClientMessage(
            window=self.display.create_resource_object("window", window),
            client_type=self.display.get_atom("_NET_ACTIVE_WINDOW"),
            data=(32, [2, X.CurrentTime, 0, 0, 0]),
        )
        root.send_event(message, X.SubstructureRedirectMask | X.SubstructureNotifyMask)
        self.display.sync()

    def active_window(self) -> int:
        from Xlib import X

        atom = self.display.get_atom("_NET_ACTIVE_WINDOW")
        found = self.display.screen().root.get_full_property(atom, X.AnyPropertyType)
        return int(found.value[0]) if found is not None else 0


def wait_for(is_so: Any, timeout_s: float = _START_S) -> None:
    """Wait until `is_so()`; fails the test when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.01)


class OtherApp(Answerer):
    """The second program: asked and told line by line."""

    def __init__(self, desktop: Desktop, name: str = "other") -> None:
        super().__init__([sys.executable, str(OTHER_APP), name], desktop.environment)
        self.bring_to_front(desktop)

    def reset(self) -> None:
        """Make the field empty and writable, and the clipboard empty."""
        self.ask("reset")

    def bring_to_front(self, desktop: Desktop) -> None:
        window = self.ask("show")

        def is_in_front() -> bool:
            if desktop.active_window() == window and self.ask("is_active"):
                return True
            desktop.activate(window)
            return False

        wait_for(is_in_front)

    @property
    def text(self) -> str:
        return str(self.ask("text"))

    def clipboard(self) -> dict[str, bytes]:
        found = self.ask("clipboard")
        return {kind: base64.b64decode(data) for kind, data in found.items()}

    def own_clipboard(self, **formats: bytes) -> None:
        data = {kind: base64.b64encode(value).decode() for kind, value in formats.items()}
        self.ask("own", formats=data)
