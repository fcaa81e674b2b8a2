"""Takes pictures of a model on its way: chosen, downloaded, verified and used, through the window.

The hub is the tests' own on this machine and the model a tiny Voxtral with random weights; the app,
the download, the checks and what the window says are real. A minute:

    uv run --locked python packaging/model_pictures.py [FOLDER]
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_SCALE_FACTOR", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from app.config.paths import Paths
from app.config.settings import Settings, save_settings
from app.core.download import DownloadState
from app.ui.main import App
from app.ui.models.adding import RepositoryDialog
from app.ui.models.panel import ModelsPanel
from tests.helpers.fake_hub import FakeHub, Fault
from tests.helpers.looks import dress
from tests.helpers.voxtral_checkpoints import Tiny, write_checkpoint

REPOSITORY = "somebody/Voxtral-Tiny-2507"
NAME = "Voxtral-Tiny-2507"
WEIGHTS = "model-00001-of-00002.safetensors"
PATIENCE_S = 120
SLOWLY = Fault(piece=4096, pause_s=0.05)


class Pictures:
    """Takes pictures of one window in light and dark."""

    def __init__(self, app: App, window: QWidget, folder: Path) -> None:
        self._app, self._window, self._folder = app, window, folder

    def take(self, name: str, shown: QWidget | None = None) -> None:
        """Write `NAME-light.png` and `NAME-dark.png` of what is shown."""
        for appearance in ("light", "dark"):
            self._app.window.menus.appearances[appearance].trigger()
            QTest.qWait(150)
            file = self._folder / f"{name}-{appearance}.png"
            (shown or self._window).grab().save(str(file))
            print(file, flush=True)


def wait_for(is_so: Callable[[], bool]) -> None:
    """Let the window live until `is_so()`."""
    for _twentieth in range(PATIENCE_S * 20):
        if is_so():
            return
        QTest.qWait(50)
    raise SystemExit("the app did not get there in time")


def get_and_use(panel: ModelsPanel, pictures: Pictures) -> None:
    """Do what a person does who wants a model of the hub."""
    pictures.take("models-choose")
    panel._ask_for_repository()
    dialog = panel.findChild(RepositoryDialog)
    assert isinstance(dialog, QDialog)
    dialog.name_edit.setText(REPOSITORY)
    pictures.take("models-by-name", dialog)
    dialog.accept()

    def fraction() -> float:
        download = panel.cards[NAME].row.download if NAME in panel.cards else None
        if download is None or download.state is not DownloadState.RUNNING:
            return 0.0
        return download.done_bytes / max(1, download.total_bytes)

    wait_for(lambda: fraction() > 0.3)
    pictures.take("models-downloading")
    wait_for(lambda: panel.cards[NAME].row.is_installed)
    panel.cards[NAME].act_requested.emit("verify", NAME)
    wait_for(lambda: panel.cards[NAME].row.download is None)
    panel.cards[NAME].act_requested.emit("use", NAME)
    pictures.take("models-in-use")


def main() -> None:
    """Write the pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    application = QApplication(["undertone"])
    dress(application)
    with tempfile.TemporaryDirectory() as place, FakeHub() as hub:
        hub.add_folder(REPOSITORY, write_checkpoint(Path(place) / "tiny", Tiny(), shards=2))
        hub.always[WEIGHTS] = SLOWLY
        paths = Paths(Path(place) / "home")
        save_settings(Settings(model_mirror=hub.address), paths.settings)
        app = App(paths)
        try:
            app.open()
            app.window.show_models()
            window = next(w for w in application.topLevelWidgets() if hasattr(w, "models_panel"))
            window.resize(900, 640)
            QTest.qWait(300)
            get_and_use(window.models_panel, Pictures(app, window, folder))
        finally:
            app.close()


if __name__ == "__main__":
    main()
