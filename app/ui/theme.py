"""Colours, spacing and icons for light and dark.

Colours that carry text reach a contrast of 4.5 : 1 on the window and on lists in both schemes. The
scheme is the system's or the person's; whatever caches a colour or an icon asks again when the
scheme changes.
"""

import sys
from dataclasses import dataclass, fields
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QColor,
    QFont,
    QGuiApplication,
    QIcon,
    QPainter,
    QPalette,
    QPixmap,
)
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QScrollBar, QWidget

from app.config.paths import resources

IS_MAC = sys.platform == "darwin"
SPACE = 8  # px between things that belong together; twice that between groups
TARGET = 28  # px, the smallest side of anything to click
ICON = 18  # px

_ICON_PROPERTY = "undertone_icon"
_TINT_PROPERTY = "undertone_tint"
# Fusion's scroll bars have arrows and a frame; these look like the Mac's. Set on each bar: a
# style sheet on the application would keep palettes from being followed live.
_SCROLL_BAR = """
QScrollBar:vertical {{ background: {base}; width: 12px; margin: 0; }}
QScrollBar::handle {{ background: {thumb}; border-radius: 3px; margin: 3px; min-height: 32px; }}
QScrollBar::handle:hover {{ background: {hover}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
# On macOS the person's accent colour is followed.
_SYSTEM_ROLES = {
    "accent": QPalette.ColorRole.Highlight,
    "accent_text": QPalette.ColorRole.HighlightedText,
    "accent_secondary": QPalette.ColorRole.HighlightedText,
    "tint": QPalette.ColorRole.Accent,
}
_SCHEMES = {
    "light": Qt.ColorScheme.Light,
    "dark": Qt.ColorScheme.Dark,
    "system": Qt.ColorScheme.Unknown,
}


@dataclass(frozen=True, slots=True)
class Colors:
    """One scheme, as `#rrggbb`."""

    window: str
    base: str
    text: str
    secondary: str  # text that may be overlooked
    line: str
    tint: str  # icons and bars
    accent: str  # behind a selection
    accent_text: str  # on `accent`
    accent_secondary: str  # quiet text on `accent`
    error: str
    warning: str
    success: str
    hover: str
    selected_idle: str  # a selection without the keyboard
    match: str  # behind a search match
    match_text: str
    spoken: str  # behind the word that is heard
    track: str  # a progress bar's empty part
    thumb: str  # a scroll bar's handle
    banner_info: str
    banner_warning: str
    banner_error: str


LIGHT = Colors(
    window="#f4f4f6",
    base="#ffffff",
    text="#1c1c1f",
    secondary="#5f6068",
    line="#dcdce1",
    tint="#0a5fd6",
    accent="#0a5fd6",
    accent_text="#ffffff",
    accent_secondary="#eef4ff",
    error="#b3261e",
    warning="#8a5200",
    success="#1f6b3a",
    hover="#ececf0",
    selected_idle="#dfe0e6",
    match="#ffe28a",
    match_text="#1c1c1f",
    spoken="#cfe2ff",
    track="#dcdce1",
    thumb="#bdbec6",
    banner_info="#e6effc",
    banner_warning="#fdf0d6",
    banner_error="#fbe4e2",
)
DARK = Colors(
    window="#26262a",
    base="#1d1d20",
    text="#ededf0",
    secondary="#a6a7b0",
    line="#3b3b41",
    tint="#5e9bff",
    accent="#2a66cc",
    accent_text="#ffffff",
    accent_secondary="#f1f6ff",
    error="#ff8a80",
    warning="#f0b657",
    success="#7fd097",
    hover="#313136",
    selected_idle="#3c3d44",
    match="#6b5312",
    match_text="#fff3d0",
    spoken="#264a80",
    track="#46464d",
    thumb="#55565f",
    banner_info="#24344d",
    banner_warning="#43351a",
    banner_error="#4a2825",
)


_appearance = "system"  # the person's choice; one a process, like the palette it decides


def is_dark() -> bool:
    """Whether the app is dark right now."""
    # Asked first, because a desktop without a platform theme never reports what was chosen.
    if _appearance != "system":
        return _appearance == "dark"
    return system_is_dark()


def system_is_dark() -> bool:
    """Whether the system, where it says so, is dark right now."""
    return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark


def colors() -> Colors:
    """Return the colours of the scheme in use."""
    return DARK if is_dark() else LIGHT


def color(name: str) -> QColor:
    """Return one colour of the scheme in use; copy it to change it."""
    role = _SYSTEM_ROLES.get(name) if IS_MAC else None
    return QApplication.palette().color(role) if role else _color(is_dark(), name)


@lru_cache(maxsize=64)
def _color(dark: bool, name: str) -> QColor:
    return QColor(getattr(DARK if dark else LIGHT, name))


def use_appearance(appearance: str) -> None:
    """Use `system`, `light` or `dark` from now on."""
    global _appearance
    _appearance = appearance
    QGuiApplication.styleHints().setColorScheme(_SCHEMES[appearance])
    apply_palette()


def apply_palette() -> None:
    """Give Fusion our colours; on macOS the system's own stay."""
    app = QApplication.instance()
    if IS_MAC or not isinstance(app, QApplication):
        return
    app.setPalette(_palette(colors()))


def _palette(scheme: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for which, name in (
        (role.Window, scheme.window),
        (role.WindowText, scheme.text),
        (role.Base, scheme.base),
        (role.AlternateBase, scheme.window),
        (role.Text, scheme.text),
        (role.Button, scheme.window),
        (role.ButtonText, scheme.text),
        (role.BrightText, scheme.error),
        (role.Highlight, scheme.accent),
        (role.HighlightedText, scheme.accent_text),
        (role.Accent, scheme.tint),
        (role.Link, scheme.tint),
        (role.ToolTipBase, scheme.window),
        (role.ToolTipText, scheme.text),
        (role.PlaceholderText, scheme.secondary),
        (role.Light, scheme.base),
        (role.Midlight, scheme.hover),
        (role.Mid, scheme.line),
        (role.Dark, scheme.line),
    ):
        palette.setColor(which, QColor(name))
    quiet = QColor(scheme.secondary)
    quiet.setAlphaF(0.6)
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, quiet)
    return palette


def font(scale: float = 1.0, *, is_bold: bool = False) -> QFont:
    """Return the system's font, `scale` times its size; copy it to change it."""
    return _font(QApplication.font().toString(), scale, is_bold)


@lru_cache(maxsize=32)
def _font(system: str, scale: float, is_bold: bool) -> QFont:
    result = QFont()
    result.fromString(system)
    if result.pointSizeF() > 0:
        result.setPointSizeF(result.pointSizeF() * scale)
    else:
        result.setPixelSize(round(result.pixelSize() * scale))
    if is_bold:
        result.setWeight(QFont.Weight.DemiBold)
    return result


@lru_cache(maxsize=64)
def _svg(name: str) -> str:
    return (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def pixmap(name: str, tint: str, size: int = ICON, ratio: float = 2.0) -> QPixmap:
    """Return an icon of ours in one colour."""
    side = round(size * ratio)
    result = QPixmap(side, side)
    result.fill(Qt.GlobalColor.transparent)
    painter = QPainter(result)
    source = _svg(name).replace("#000", tint).encode()
    QSvgRenderer(QByteArray(source)).render(painter, QRectF(0, 0, side, side))
    painter.end()
    result.setDevicePixelRatio(ratio)
    return result


def icon(name: str, tint: str = "text") -> QIcon:
    """Return an icon of ours, tinted for the scheme in use."""
    scheme = colors()
    result = QIcon()
    for ratio in (1.0, 2.0):
        result.addPixmap(pixmap(name, getattr(scheme, tint), ratio=ratio))
        quiet = pixmap(name, scheme.secondary, ratio=ratio)
        faded = QPixmap(quiet.size())
        faded.setDevicePixelRatio(ratio)
        faded.fill(Qt.GlobalColor.transparent)
        painter = QPainter(faded)
        painter.setOpacity(0.55)
        painter.drawPixmap(0, 0, quiet)
        painter.end()
        result.addPixmap(faded, QIcon.Mode.Disabled)
    return result


def set_icon(target: QAbstractButton | QAction, name: str, tint: str = "text") -> None:
    """Give `target` an icon that `refresh_icons` can tint anew."""
    target.setProperty(_ICON_PROPERTY, name)
    target.setProperty(_TINT_PROPERTY, tint)
    target.setIcon(icon(name, tint))
    if isinstance(target, QAbstractButton):
        target.setIconSize(QSize(ICON, ICON))


def refresh_icons(root: QWidget) -> None:
    """Tint every icon under `root` for the scheme in use."""
    targets: list[QAbstractButton | QAction] = [*root.findChildren(QAbstractButton)]
    for target in (*targets, *root.findChildren(QAction)):
        name = target.property(_ICON_PROPERTY)
        if name:
            target.setIcon(icon(name, target.property(_TINT_PROPERTY) or "text"))


def refresh_scroll_bars(root: QWidget) -> None:
    """Give the vertical scroll bars under `root` our look; on macOS the system's own stay."""
    if IS_MAC:
        return
    scheme = colors()
    look = _SCROLL_BAR.format(base=scheme.base, thumb=scheme.thumb, hover=scheme.secondary)
    for bar in root.findChildren(QScrollBar):
        if bar.orientation() is Qt.Orientation.Vertical:
            bar.setStyleSheet(look)


def contrast(first: str, second: str) -> float:
    """Return the contrast of two `#rrggbb` colours, 1 … 21.

    Source: WCAG 2.2, "contrast ratio" and "relative luminance".
    """
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(value: str) -> float:
    parts = [int(value[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def color_names() -> tuple[str, ...]:
    """Return the names `color` knows."""
    return tuple(field.name for field in fields(Colors))
