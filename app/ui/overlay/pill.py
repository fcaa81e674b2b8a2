"""The pill itself: one small window that shows a take and takes neither focus nor clicks.

It is painted into a window of one size, so that nothing flickers when its content grows; it is
click-through, buttons lie in a window of their own (`overlay/buttons`).
"""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import (
    QBitmap,
    QColor,
    QFont,
    QFontMetricsF,
    QGuiApplication,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from app.config.translate import tr
from app.core.timecode import clock
from app.ui import theme
from app.ui.live.wording import Face, Tone
from app.ui.overlay.line import WordsLine
from app.ui.widgets.level import LevelTrace, draw_bars, draw_steps

WINDOW = QSize(664, 84)
ROW = 44.0  # px, a pill of one row
SECOND_ROW = 24.0
BUTTON = 28.0
_MOST = 640.0  # px, the widest pill
_WORDS = 600.0  # px, a pill with words: one width, so that it does not jump with each
_PAD = 16.0
_GAP = 12.0
_BARS = QSize(36, 22)
_DOTS = 3
_INDENT = 30.0  # px, of the second row's text
_TONES = {
    Tone.QUIET: "secondary",
    Tone.RECORDING: "error",
    Tone.GOOD: "success",
    Tone.WARNING: "warning",
    Tone.ERROR: "error",
}
FLAGS = (
    Qt.WindowType.Tool
    | Qt.WindowType.FramelessWindowHint
    | Qt.WindowType.WindowStaysOnTopHint
    | Qt.WindowType.WindowDoesNotAcceptFocus
    | Qt.WindowType.NoDropShadowWindowHint
)


@dataclass(frozen=True, slots=True)
class PillContent:
    """What the pill shows.

    Attributes:
        face: the state.
        committed: words that stay.
        tail: words that may still change.
        seconds: of sound; `None` shows no time.
        text: of a take that ended.
    """

    face: Face
    committed: str = ""
    tail: str = ""
    seconds: int | None = None
    text: str = ""

    @property
    def has_words(self) -> bool:
        return bool(self.committed or self.tail)


def overlay_window(window: QWidget) -> None:
    """Give `window` what every window of the overlay needs: no focus, on top, see-through."""
    flags = FLAGS
    if QGuiApplication.platformName() == "xcb":
        # Window managers of X11 differ in whom they give focus and put on top; none is asked.
        flags |= Qt.WindowType.X11BypassWindowManagerHint
    window.setWindowFlags(flags)
    window.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    window.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    window.setAttribute(Qt.WidgetAttribute.WA_MacAlwaysShowToolWindow)
    window.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
    window.setFocusPolicy(Qt.FocusPolicy.NoFocus)


class Pill(QWidget):
    """Paints what it is given; knows no take."""

    def __init__(self, *, is_calm: bool = False) -> None:
        super().__init__()
        overlay_window(self)
        self.setWindowFlag(Qt.WindowType.WindowTransparentForInput)
        self.setAccessibleName(tr("Recording"))
        self.setFixedSize(WINDOW)
        self.trace = LevelTrace()
        self.content: PillContent | None = None
        self.buttons_width = 0.0
        self._is_calm = is_calm
        self._beat = 0
        self._words = WordsLine()
        self._outline = QRectF()
        self._bars_at = QRectF()
        self._slot = QRectF()
        self._lead = float(_BARS.width())
        self._second = ""  # the second row: a problem

    @property
    def outline(self) -> QRectF:
        """Where the pill lies in the window."""
        return self._outline

    @property
    def buttons_slot(self) -> QRect:
        """Where buttons belong, in the window."""
        return self._slot.toRect()

    def show_content(self, content: PillContent) -> None:
        """Show something else."""
        if content == self.content:
            return
        before = self._outline
        self.content = content
        self._outline = self._measure(content)
        if self._outline != before:
            self._cut_out()
        left = self._outline.right() - _PAD - self.buttons_width
        top = self._outline.top() + (ROW - BUTTON) / 2 + (3 if self._has_second_row else 0)
        self._slot = QRectF(left, top, self.buttons_width, BUTTON)
        face = content.face
        words = f"{content.committed} {content.tail}".strip()
        self.setAccessibleDescription(
            " ".join(part for part in (face.state, face.message, words or content.text) if part)
        )
        self.update()

    def beat(self, level_db: float) -> None:
        """Let the level, or the dots of waiting, go on."""
        self._beat += 1
        before = self.trace.levels
        self.trace.add(level_db)
        is_busy = self.content is not None and self.content.face.is_busy
        if self.trace.levels != before or is_busy:
            self.update(self._bars_at.toAlignedRect())

    def restart(self) -> None:
        """Begin a new take."""
        self.trace.clear()
        self._beat = 0

    # Measuring

    def _measure(self, content: PillContent) -> QRectF:
        """Return the pill, at the bottom centre of the window."""
        face = content.face
        self._lead = float(_BARS.width() if face.is_live or not face.icon else theme.ICON)
        beside = _text_beside(content)
        width = _PAD * 2 + self._lead + self._fixed_width(content)
        if content.has_words:
            width = _WORDS
        elif beside:
            width += _GAP + _advance(beside, theme.font()) + 2
        is_beside = beside == face.message and width <= _MOST
        self._second = ""
        if face.message and not is_beside:
            room = _MOST - _PAD * 2 - _INDENT
            fits = _advance(face.message, _small()) <= room
            self._second = face.message if fits else face.brief
            if beside == face.message:
                width = _PAD * 2 + self._lead + self._fixed_width(content)
            needed = _advance(self._second, _small()) + _PAD * 2 + _INDENT + 4
            width = max(width, needed)
        height = ROW + (SECOND_ROW if self._second else 0.0)
        width = round(min(width, _MOST))
        left = (self.width() - width) // 2
        return QRectF(left, self.height() - height - 2.0, width, height)

    def _fixed_width(self, content: PillContent) -> float:
        """Return the width of all but the lead, the words and the edges."""
        face = content.face
        width = _GAP + _advance(face.state, _state_font())
        if content.seconds is not None:
            width += _GAP + _time_width(content.seconds)
        if face.hint:
            key, does = face.hint
            width += _GAP + _advance(key, _small()) + 12 + 6 + _advance(does, _small())
        if self.buttons_width:
            width += _GAP + self.buttons_width
        return width

    @property
    def _has_second_row(self) -> bool:
        return bool(self._second)

    def _cut_out(self) -> None:
        """Under X11 without compositing only a mask makes corners round."""
        if QGuiApplication.platformName() != "xcb":
            return
        bitmap = QBitmap(self.size())
        bitmap.clear()
        painter = QPainter(bitmap)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(Qt.GlobalColor.color1)
        painter.drawRoundedRect(self._outline.toAlignedRect(), self._radius, self._radius)
        painter.end()
        self.setMask(bitmap)

    @property
    def _radius(self) -> float:
        return 16.0 if self._has_second_row else ROW / 2

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        content = self.content
        if content is None:
            return
        painter = QPainter(self)
        painter.setClipRect(event.rect())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_ground(painter)
        row = QRectF(self._outline.left(), self._outline.top(), self._outline.width(), ROW)
        if self._has_second_row:
            row.translate(0, 3)
        self._paint_lead(painter, row, content)
        if self._bars_at.contains(QRectF(event.rect())):
            return  # only the level has changed
        left = self._bars_at.right() + _GAP
        right = row.right() - _PAD
        if content.seconds is not None:
            left = self._paint_time(painter, row, left, content.seconds)
        right = self._paint_right(painter, row, right, content)
        self._paint_middle(painter, QRectF(left, row.top(), right - left, row.height()), content)
        if self._has_second_row:
            self._paint_message(painter, content.face)

    def _paint_ground(self, painter: QPainter) -> None:
        path = QPainterPath()
        inner = self._outline.adjusted(0.5, 0.5, -0.5, -0.5)
        path.addRoundedRect(inner, self._radius, self._radius)
        painter.fillPath(path, theme.color("base"))
        painter.setPen(QPen(theme.color("line"), 1.0))
        painter.drawPath(path)

    def _paint_lead(self, painter: QPainter, row: QRectF, content: PillContent) -> None:
        """Paint the level, the dots of waiting, or an icon."""
        face = content.face
        top = row.center().y() - _BARS.height() / 2
        area = QRectF(row.left() + _PAD, top, self._lead, _BARS.height())
        self._bars_at = area
        ink = theme.color(_TONES[face.tone])
        if face.is_live:
            draw = draw_steps if self._is_calm else draw_bars
            draw(painter, area, self.trace, ink)
        elif face.icon:
            side = float(theme.ICON)
            at = QPointF(area.center().x() - side / 2, area.center().y() - side / 2)
            painter.drawPixmap(at, theme.pixmap(face.icon, ink.name()))
        else:
            self._paint_dots(painter, area)

    def _paint_dots(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for at in range(_DOTS):
            ink = QColor(theme.color("secondary"))
            is_lit = self._is_calm or self._beat // 5 % _DOTS == at
            ink.setAlphaF(1.0 if is_lit else 0.35)
            painter.setBrush(ink)
            x = area.center().x() + (at - 1) * 10 - 3
            painter.drawEllipse(QRectF(x, area.center().y() - 3, 6, 6))

    def _paint_time(self, painter: QPainter, row: QRectF, left: float, seconds: int) -> float:
        width = _time_width(seconds)
        painter.setFont(_time_font())
        painter.setPen(theme.color("text"))
        area = QRectF(left, row.top(), width + 2, row.height())
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(area, int(flags), clock(seconds))
        return left + width + _GAP

    def _paint_right(
        self, painter: QPainter, row: QRectF, right: float, content: PillContent
    ) -> float:
        """Paint what stands at the right: the state beside words, the key; return what is left."""
        face = content.face
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if self.buttons_width:
            right = self._slot.left() - _GAP
        if face.hint:
            right = self._paint_key(painter, row, right, *face.hint)
        if content.has_words:
            painter.setFont(_small())
            painter.setPen(theme.color("secondary"))
            area = QRectF(row.left(), row.top(), right - row.left(), row.height())
            painter.drawText(area, flags, face.state)
            right -= _advance(face.state, _small()) + _GAP
        return right

    def _paint_key(
        self, painter: QPainter, row: QRectF, right: float, key: str, does: str
    ) -> float:
        painter.setFont(_small())
        painter.setPen(theme.color("secondary"))
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(row.left(), row.top(), right - row.left(), ROW), flags, does)
        right -= _advance(does, _small()) + 6
        width = _advance(key, _small()) + 12
        cap = QRectF(right - width, row.center().y() - 9.5, width, 19)
        painter.setPen(QPen(theme.color("line"), 1.0))
        painter.setBrush(theme.color("window"))
        painter.drawRoundedRect(cap, 5, 5)
        painter.setPen(theme.color("secondary"))
        painter.drawText(cap, int(Qt.AlignmentFlag.AlignCenter), key)
        return cap.left() - _GAP

    def _paint_middle(self, painter: QPainter, area: QRectF, content: PillContent) -> None:
        face = content.face
        ink, dim = theme.color("text"), theme.color("secondary")
        if content.has_words:
            self._words.draw(
                painter,
                area,
                content.committed,
                content.tail,
                font=theme.font(),
                ink=ink,
                dim=dim,
            )
            return
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.setFont(_state_font())
        painter.setPen(ink)
        painter.drawText(area, flags, face.state)
        rest = _text_beside(content)
        if not rest or (rest == face.message and self._second):
            return
        area.setLeft(area.left() + _advance(face.state, _state_font()) + _GAP)
        painter.setFont(theme.font())
        painter.setPen(dim)
        shown = _elided(rest, theme.font(), area.width())
        painter.drawText(area, flags, shown)

    def _paint_message(self, painter: QPainter, face: Face) -> None:
        """Paint a problem on its own row."""
        top = self._outline.top() + ROW - 3
        left = self._outline.left() + _PAD
        is_news = face.tone is Tone.QUIET and not face.hint and not face.is_busy
        color = "error" if face.tone is Tone.ERROR else "secondary" if is_news else "warning"
        ink = theme.color(color)
        if face.icon != "warning":
            icon = theme.pixmap("warning", ink.name(), 14)
            painter.drawPixmap(QPointF(left + 8, top + 2), icon)
        left += _INDENT
        area = QRectF(left, top, self._outline.right() - _PAD - left, 18)
        painter.setFont(_small())
        painter.setPen(ink)
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(area, flags, _elided(self._second, _small(), area.width()))


def _advance(text: str, font: QFont) -> float:
    return QFontMetricsF(font).horizontalAdvance(text)


def _time_width(seconds: int) -> float:
    shape = "".join("0" if char.isdigit() else char for char in clock(seconds))
    return _advance(shape, _time_font())


def _text_beside(content: PillContent) -> str:
    """Return what stands beside the state when there are no words."""
    face = content.face
    if content.has_words or face.hint or face.is_live:
        return ""
    return _one_line(content.text) or face.message


def _elided(text: str, font: QFont, width: float) -> str:
    return QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, width)


def _one_line(text: str) -> str:
    return " ".join(text[:400].split())


def _state_font() -> QFont:
    return theme.font(1.0, is_bold=True)


def _small() -> QFont:
    return theme.font(0.92)


def _time_font() -> QFont:
    font = QFont(theme.font())
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
