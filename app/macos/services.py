"""The Services menu: “Transcribe with Undertone” on files that are selected in the Finder.

The property list names the message; this is the object that answers it. It lives as long as the
app, because the system keeps no reference to it.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

_PROVIDER_CLASS = "UndertoneServiceProvider"
_SELECTOR = "transcribeFiles:userData:error:"

OnFiles = Callable[[list[Path]], None]


class Services(Protocol):
    """What the system's Services menu offers of ours. Thread: main."""

    def offer(self, on_files: OnFiles) -> None:
        """Hand the files a person chose to `on_files` from now on."""


def provider_class() -> Any:
    """Return the Objective-C class that answers the service; made once a process."""
    import AppKit
    import objc

    try:
        return objc.lookUpClass(_PROVIDER_CLASS)
    except objc.nosuchclass_error:
        pass

    class UndertoneServiceProvider(AppKit.NSObject):  # type: ignore[misc]  # pyobjc is untyped
        """Answers `transcribeFiles:userData:error:`."""

        def transcribeFiles_userData_error_(  # noqa: N802
            self, pasteboard: Any, _user: Any, _error: Any
        ) -> None:
            options = {AppKit.NSPasteboardURLReadingFileURLsOnlyKey: True}
            found = pasteboard.readObjectsForClasses_options_([AppKit.NSURL], options)
            paths = [Path(str(url.path())) for url in found or ()]
            if paths:
                self.on_files(paths)

        # The third argument is a pointer to an error, which Python cannot tell from the name.
        transcribeFiles_userData_error_ = objc.selector(  # noqa: N815
            transcribeFiles_userData_error_,
            selector=_SELECTOR.encode(),
            signature=b"v@:@@o^@",
        )

    return UndertoneServiceProvider


class MacServices:
    """The service by `NSApplication`'s provider."""

    def __init__(self) -> None:
        self._provider: Any = None

    def offer(self, on_files: OnFiles) -> None:
        import AppKit

        self._provider = provider_class().alloc().init()
        self._provider.on_files = on_files
        AppKit.NSApplication.sharedApplication().setServicesProvider_(self._provider)


class FakeServices:
    """A Services menu for tests, and where there is none."""

    def __init__(self) -> None:
        self.choose: OnFiles | None = None

    def offer(self, on_files: OnFiles) -> None:
        self.choose = on_files


def for_this_system() -> Services:
    """Return the Services menu of the system this process runs on."""
    return MacServices() if sys.platform == "darwin" else FakeServices()
