"""Three sets of settings to begin with, by how long they take on two cores."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.training.config import TrainConfig


@dataclass(frozen=True)
class Preset:
    """Settings under a name; those that it does not name keep their own default.

    Attributes:
        name: What `--preset` takes.
        title: For the page.
        description: One or two sentences for someone who has trained nothing yet.
        changes: Values of `TrainConfig` by field, `preset` among them.
    """

    name: str
    title: str
    description: str
    changes: Mapping[str, Any] = field(default_factory=dict)

    def config(self, **explicit: Any) -> TrainConfig:
        """Its settings with those that were asked for explicitly, which win."""
        return TrainConfig(**{**self.changes, **explicit})


def _preset(name: str, title: str, description: str, **changes: Any) -> Preset:
    return Preset(name, title, description, {"preset": name, **changes})


# quick keeps the first four blocks: what gives generators away are textures, and those are gone in the deep features
# of an ImageNet network. Frozen, they are computed once for each picture, and the head learns on what was kept.
PRESETS: dict[str, Preset] = {
    one.name: one
    for one in (
        _preset(
            "quick",
            "Quick look",
            "Tries whether there is anything to learn: only a small head learns, on frozen features.",
            blocks=4,
            head_epochs=8,
            epochs=0,
            epoch_pictures=1600,
            batch_size=32,
            head_learning_rate=2e-3,
            weight_decay=1e-3,
            self_blend=0.0,
            val_pictures=150,
        ),
        _preset(
            "standard",
            "Standard",
            "The whole network learns. A good start for most data sets.",
            head_epochs=1,
            epochs=14,
            epoch_pictures=1680,
            val_pictures=150,
        ),
        _preset(
            "thorough",
            "Thorough",
            "Larger pictures, many more of them, and fakes of several makes. For a detector that is to be used.",
            input_size=224,
            head_epochs=1,
            epochs=40,
            epoch_pictures=4800,
            learning_rate=2.5e-4,
            patience=10,
            ema=0.999,
            self_blend=0.3,
            composite=0.1,
        ),
    )
}
