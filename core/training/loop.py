"""From a configuration to trained weights: prepare the faces, train the head, then the whole; stop and resume."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras

from core.data.batches import EvalBatches, TrainBatches
from core.data.blend_set import blend_set
from core.data.dataset import Sample, classes_of, index_data, subset
from core.data.prepare import prepare
from core.data.survey import survey
from core.detector.fused import fuse
from core.detector.network import split_off_head
from core.errors import DataError
from core.training.callbacks import BatchLog, Stopped, Unwatched, WarmupCosine, Watch
from core.training.checkpoints import HEAD, TRAINING, State, load_checkpoint, restore_head
from core.training.config import TrainConfig
from core.training.epochs import EpochEnd, Keeper, Predict
from core.training.estimate import record_speed, seconds_of_training
from core.training.hardware import cores, precision_scope, strategy_scope, uses_gpu
from core.training.head_phase import FeatureBatches, compute_features, count_batches
from core.training.initial import initial_network
from core.training.journal import BATCHES, METRICS, drop_after
from core.training.localise import place_loss, side_of_maps, with_evidence
from core.training.start import check_start
from core.training.validation import check_weights, class_names

SCALE, OFFSET = 1 / 127.5, -1.0
VAL_BATCH = 32


def fit(config: TrainConfig, folder: Path, cache: Path, *, resume: bool = False, watch: Watch | None = None) -> Path:
    """Trains into `folder` and returns the path of the best checkpoint.

    Args:
        config: Settings.
        folder: The run; `checkpoints/`, `metrics.jsonl` and its other records are kept there.
        cache: Where prepared face crops are kept.
        resume: Go on from the last checkpoint in `folder`; lines of the records that lie beyond it are dropped.
        watch: Is told how it goes, and may end it after any batch.

    Raises:
        Stopped: The watch said so; the last checkpoint is whole.
        DataError: The data cannot be used.
        TrainingError: The starting weights or the checkpoint cannot be used, or the loss is no number any more.
    """
    watch = watch or Unwatched()
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(config.seed)
    # a checkpoint has its precision in itself
    with strategy_scope(config.strategy), nullcontext() if resume else precision_scope(config.precision):
        if resume:
            model, state = load_checkpoint(folder / "checkpoints" / "last.keras")
            for name in (METRICS, BATCHES):
                drop_after(folder / name, state.step)
            if is_over(config, state):  # killed after its last epoch: only what follows the training is left to do
                return folder / "checkpoints" / "best.keras"
            samples = load_samples(config, cache, watch)
        else:
            config.save(folder / "config.json")
            check_start(config)
            samples = load_samples(config, cache, watch, new=True)
            _warn(config, watch)
            state = State(HEAD if config.head_epochs else TRAINING, classes=_classes(config, samples))
            model = initial_network(config, state.classes)
        if not uses_gpu():
            fuse(model)
        training = _Training(config, folder, samples, state, watch)
        if state.phase == HEAD:
            training.head(model, resume)
            training.next_phase()
        if config.epochs:
            training.whole(model)
    return folder / "checkpoints" / "best.keras"


def is_over(config: TrainConfig, state: State) -> bool:
    """Whether all epochs are done, or the time, or the patience."""
    if state.phase == HEAD:
        return not config.epochs and state.phase_epoch >= config.head_epochs
    out_of_time = config.minutes and state.elapsed_s >= 60 * config.minutes
    waited = min(state.epoch - state.best_epoch, state.phase_epoch)
    return bool(state.phase_epoch >= config.epochs or out_of_time or 0 < config.patience <= waited)


def load_samples(config: TrainConfig, cache: Path, watch: Watch, *, new: bool = False) -> list[Sample]:
    """Indexed and cropped samples to train and validate on; of a `new` run the settings must fit them.

    Raises:
        DataError: There are none, or a split has lost a class.
        TrainingError: Settings name classes or sources that are not there.
        Stopped: The watch said so.
    """

    def tell(message: str) -> Callable[[int, int], None]:
        return lambda done, total: watch.update(phase="preparing", message=message, done=done, total=total)

    stop = watch.stop_requested
    found = index_data(
        config.data, blended=config.made_from_reals, on_progress=tell("Looking at the data."), should_stop=stop
    )
    if new:
        check_weights(config, found)
    samples = prepare(
        [sample for sample in found if sample.split in ("train", "val")],
        cache,
        scale=config.crop_scale,
        frames_per_video=config.frames_per_video,
        on_progress=tell("Finding and cropping faces."),
        should_stop=stop,
    )
    if config.made_from_reals and not any(sample.fake for sample in samples if sample.split == "val"):
        tell("Blending faces to validate on.")(0, 1)
        val = blend_set([sample for sample in samples if sample.split == "val"], cache, should_stop=stop)
        samples = [sample for sample in samples if sample.split == "train"] + val
    for split in ("val",) if config.made_from_reals else ("train", "val"):
        if len({sample.fake for sample in samples if sample.split == split}) < 2:
            raise DataError(f"After looking for faces, the {split} split has lost a class: too few faces were found.")
    return samples


def _warn(config: TrainConfig, watch: Watch) -> None:
    """Says in the log what is wrong with the data, for those who have not seen it on the page."""

    def tell(done: int, total: int) -> None:
        watch.update(phase="preparing", message="Checking the data.", done=done, total=total)

    for warning in survey(config.data, on_progress=tell, should_stop=watch.stop_requested).warnings:
        if warning.kind != "one_class":
            print(f"warning: {warning.sentence}", flush=True)


def _classes(config: TrainConfig, samples: Sequence[Sample]) -> tuple[str, ...]:
    return class_names(classes_of(samples), config.multi_class, config.made_share > 0)


class _Training:
    """One run's data, and its two phases."""

    def __init__(
        self, config: TrainConfig, folder: Path, samples: Sequence[Sample], state: State, watch: Watch
    ) -> None:
        self._config, self._folder, self._state, self._watch = config, folder, state, watch
        self._train = [sample for sample in samples if sample.split == "train"]
        val = subset(samples, "val", config.val_pictures)
        self._keeper = Keeper(folder, config, state, val, watch)
        self._val = EvalBatches(val, size=config.input_size, scale=SCALE, offset=OFFSET, batch_size=VAL_BATCH)
        watch.update(message="", done=None, total=None)

    def head(self, model: keras.Model, resume: bool) -> None:
        """Trains the head on the features of the frozen rest."""
        config, state = self._config, self._state
        base, head = split_off_head(model)
        self._compile(head, config.head_learning_rate)
        if resume:
            restore_head(head, self._keeper.checkpoints / "last.keras")
        if state.phase_epoch >= config.head_epochs or self._keeper.exhausted():
            return
        started = time.monotonic()
        count = count_batches(base, config.batch_size, config.steps)
        features = compute_features(base, self._batches(epoch=0), count, self._val, self._watch)
        record_speed(config, "features", features.images_per_s)
        state.elapsed_s += time.monotonic() - started
        self._watch.update(message="", done=None, total=None)
        self._fit(
            head,
            FeatureBatches(features.batches, config.seed, state.phase_epoch),
            config.head_epochs,
            whole=model,
            peak=config.head_learning_rate,
            predict=lambda: head.predict(features.val, batch_size=256, verbose=0),
        )

    def next_phase(self) -> None:
        """The whole network is trained from here on."""
        self._state.phase, self._state.phase_epoch, self._state.phase_step = TRAINING, 0, 0

    def whole(self, model: keras.Model) -> None:
        """Trains the whole network."""
        config, state = self._config, self._state
        self._watch.update(
            phase=TRAINING,
            message="Getting the whole network ready: its first batch takes longest.",
            images_per_s=None,
            eta_s=round(seconds_of_training(config), 1),
        )
        if not model.compiled:
            self._compile(model, config.learning_rate, config.ema)
        trained = self._localising(model) if config.localise else model
        self._fit(
            trained,
            # epoch 0 is the head's
            self._batches(epoch=1 + state.phase_epoch, grid=side_of_maps(model) if config.localise else 0),
            config.epochs,
            whole=model,
            peak=config.learning_rate,
            predict=lambda: model.predict(self._val, verbose=0),
        )

    def _localising(self, model: keras.Model) -> keras.Model:
        """The network with the localisation loss beside its own. The optimizer is the network's, and saved with it."""
        twofold = with_evidence(model)
        twofold.compile(
            optimizer=model.optimizer,
            loss=[self._loss(), place_loss],
            loss_weights=[1.0, self._config.localise],
            jit_compile=_jit(),
        )
        return twofold

    def _fit(
        self,
        model: keras.Model,
        data: keras.utils.PyDataset,
        epochs: int,
        *,
        whole: keras.Model,
        peak: float,
        predict: Predict,
    ) -> None:
        config, state = self._config, self._state
        schedule = WarmupCosine(
            state, peak=peak, steps=epochs * len(data), warmup=config.warmup, minutes=config.minutes
        )
        later_s = seconds_of_training(config) if state.phase == HEAD else 0.0
        phase = state.phase
        log = BatchLog(
            self._folder,
            config,
            state,
            schedule,
            self._watch,
            later_s=later_s,
            on_speed=lambda speed: record_speed(config, phase, speed),
        )
        ends = EpochEnd(self._keeper, whole, predict, log)
        model.fit(
            data,
            epochs=epochs,
            initial_epoch=state.phase_epoch,
            callbacks=[schedule, log, ends],
            shuffle=False,  # Keras would shuffle the batches by a chance of its own, and a resumed run go another way
            verbose=0,
        )
        if log.stopped:
            raise Stopped

    def _batches(self, epoch: int, grid: int = 0) -> TrainBatches:
        config = self._config
        return TrainBatches(
            self._train,
            size=config.input_size,
            batch_size=config.batch_size,
            steps=config.steps,
            blend_share=config.self_blend,
            composite_share=config.composite,
            retouch_share=config.retouch,
            scale=SCALE,
            offset=OFFSET,
            classes=self._state.classes,
            class_weights=config.loss_weights,
            seed=config.seed,
            source_weights=config.emphasis,
            epoch=epoch,
            workers=max(2, cores()),  # one would be TensorFlow's own thread, in which OpenVINO's meshes corrupt memory
            grid=grid,
        )

    def _loss(self) -> keras.losses.Loss:
        several = len(self._state.classes) > 2
        loss = keras.losses.CategoricalCrossentropy if several else keras.losses.BinaryCrossentropy
        return loss(label_smoothing=self._config.label_smoothing)

    def _compile(self, model: keras.Model, learning_rate: float, ema: float = 0.0) -> None:
        config = self._config
        averaging: dict[str, Any] = {"use_ema": True, "ema_momentum": ema} if ema else {}
        model.compile(
            optimizer=keras.optimizers.AdamW(
                learning_rate, weight_decay=config.weight_decay, clipnorm=5.0, **averaging
            ),
            loss=self._loss(),
            jit_compile=_jit(),
        )
        # else the first step would make its variables, and TensorFlow trace the whole of it a second time
        model.optimizer.build(model.trainable_variables)


def _jit() -> Any:
    """Keras's choice; never on a processor, where XLA is ten times slower."""
    return "auto" if uses_gpu() else False
