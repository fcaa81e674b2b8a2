"""Both schemes are readable, and every icon can be drawn."""

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from app.config.paths import resources
from app.ui import theme

ON_GROUND = ("text", "secondary", "error", "warning", "success")
GROUNDS = ("window", "base")
PAIRS = (
    ("accent_text", "accent"),
    ("accent_secondary", "accent"),
    ("match_text", "match"),
    ("text", "banner_info"),
    ("text", "banner_warning"),
    ("text", "banner_error"),
    ("text", "selected_idle"),
    ("secondary", "hover"),
    ("secondary", "selected_idle"),
)
SCHEMES = pytest.mark.parametrize("scheme", [theme.LIGHT, theme.DARK], ids=["light", "dark"])


@SCHEMES
@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("ink", ON_GROUND)
def test_text_can_be_read_on_windows_and_lists(scheme: theme.Colors, ground: str, ink: str) -> None:
    assert theme.contrast(getattr(scheme, ink), getattr(scheme, ground)) >= 4.5


@SCHEMES
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_can_be_read_on_coloured_grounds(scheme: theme.Colors, ink: str, ground: str) -> None:
    assert theme.contrast(getattr(scheme, ink), getattr(scheme, ground)) >= 4.5


@SCHEMES
def test_icons_and_bars_stand_out(scheme: theme.Colors) -> None:
    for name in ("tint", "warning", "error"):
        assert theme.contrast(getattr(scheme, name), scheme.window) >= 3.0, name


def test_contrast_of_black_and_white() -> None:
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert theme.contrast("#777777", "#777777") == pytest.approx(1.0)


def test_the_accent_of_the_mac_is_followed(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theme, "IS_MAC", True)
    palette = qapp.palette()
    palette.setColor(QPalette.ColorRole.Highlight, QColor("#aa00aa"))
    palette.setColor(QPalette.ColorRole.Accent, QColor("#bb00bb"))
    qapp.setPalette(palette)
    assert theme.color("accent").name() == "#aa00aa"
    assert theme.color("tint").name() == "#bb00bb"
    assert theme.color("text").name() == theme.LIGHT.text


def test_every_icon_is_tinted(qapp: QApplication) -> None:
    files = sorted((resources() / "icons").glob("*.svg"))
    assert len(files) >= 15
    for file in files:
        image = theme.pixmap(file.stem, "#12ab34", 20, 1.0).toImage()
        colors = {
            image.pixelColor(x, y).name()
            for x in range(20)
            for y in range(20)
            if image.pixelColor(x, y).alpha() > 90
        }
        assert colors, file.stem
        assert all(QColor(name).green() > QColor(name).red() for name in colors), file.stem


def test_an_icon_follows_the_appearance(qtbot: QtBot) -> None:
    button = QToolButton()
    qtbot.addWidget(button)
    holder = QToolButton()
    qtbot.addWidget(holder)
    button.setParent(holder)
    theme.use_appearance("light")
    theme.set_icon(button, "pause")
    assert _ink(button) < 128
    theme.use_appearance("dark")
    theme.refresh_icons(holder)
    assert _ink(button) > 128


def _ink(button: QToolButton) -> int:
    image = button.icon().pixmap(theme.ICON).toImage()
    return max(
        (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())),
        key=lambda color: color.alpha(),
    ).lightness()
