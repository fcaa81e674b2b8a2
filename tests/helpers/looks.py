"""How the app looks in pictures, wherever they are taken: the same style, font and dates."""

from PySide6.QtCore import QLocale
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication


def dress(application: QApplication) -> None:
    """Give the app its looks for pictures; the font is Inter where it is installed."""
    application.setStyle("Fusion")
    QLocale.setDefault(QLocale(QLocale.Language.English, QLocale.Country.UnitedKingdom))
    if "Inter" in QFontDatabase.families():
        application.setFont(QFont("Inter", 10))
