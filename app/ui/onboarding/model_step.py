"""The last step: a model, with what suits this machine first."""

from PySide6.QtWidgets import QWidget

from app.config.translate import tr
from app.ui.models.panel import ModelsPanel
from app.ui.onboarding.ports import MeetingPorts
from app.ui.onboarding.steps import Step


class ModelStep(Step):
    """Choose a model and fetch it; going on while it is fetched is fine."""

    def __init__(self, ports: MeetingPorts, parent: QWidget | None = None) -> None:
        can_choose = ports.models is not None
        super().__init__(
            tr("Choose a model"),
            tr("A model turns sound into text. Larger ones make fewer mistakes and take longer.")
            if can_choose
            else tr("The library cannot be used now, so no model can be fetched. See the window."),
            parent,
        )
        self.panel: ModelsPanel | None = None
        if ports.models is not None:
            self.panel = ModelsPanel(ports.models, self, is_first_start=True)
            self.column.addWidget(self.panel, 1)
        else:
            self.column.addStretch(1)

    @property
    def is_done(self) -> bool:
        return self.panel is None or self.panel.is_ready

    def refresh_colors(self) -> None:
        super().refresh_colors()
        if self.panel is not None:
            self.panel.refresh_colors()
