"""The models of the first start, from what the app knows of models."""

from collections.abc import Sequence

from app.config.translate import tr, tr_plural
from app.core.errors import ModelMissing, mark
from app.core.language import language_name
from app.models.store import ModelStore
from app.ui.onboarding.ports import ModelOffer

_NAMED = 4  # so many languages are named, more are counted


def languages_text(codes: Sequence[str]) -> str:
    """Return `English, German`, or how many languages there are."""
    if not codes:
        return tr("many languages")
    if len(codes) <= _NAMED:
        return ", ".join(tr(language_name(code)) for code in codes)
    return tr_plural("{count} language", "{count} languages", len(codes))


class InstalledOffers:
    """Only what is here already: nothing can be fetched."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def offers(self) -> Sequence[ModelOffer]:
        return [
            ModelOffer(
                model.model_id,
                model.title,
                note=self._store.note(model.model_id),
                languages=languages_text(model.languages),
                is_installed=True,
                is_demo=model.is_demo,
            )
            for model in self._store.installed()
        ]

    def free_bytes(self) -> int:
        return self._store.free_bytes()

    def get(self, model_id: str) -> None:
        raise ModelMissing(
            mark("The model “{model}” cannot be fetched here."),
            mark("Put it into the models folder."),
            model=model_id,
        )

    def stop(self, model_id: str) -> None: ...
