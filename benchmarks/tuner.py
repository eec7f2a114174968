"""KerasTuner on a list of configurations: its random search over the list's numbers.

With a choice among as many numbers as there are trials, ``RandomSearch`` takes each once. It saves
a checkpoint an epoch and a file a trial, as it does by default (`benchmarks.process` starts it).
"""

from __future__ import annotations

import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.process import peak_megabytes, side, warm_up

__all__ = ["work"]


def work(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Train every configuration once."""
    import_seconds = warm_up()
    begun = time.perf_counter()
    keras_tuner: Any = import_module("keras_tuner")

    import_seconds += time.perf_counter() - begun
    from benchmarks.folds import read_folds
    from benchmarks.keras_fit import compiled_model

    (fold,) = read_folds(Path(spec["folds"]))
    configurations = spec["configurations"]

    class Listed(keras_tuner.HyperModel):  # type: ignore[misc]
        """The network of one listed configuration."""

        def build(self, hp: Any) -> Any:
            number = hp.Choice("configuration", list(range(len(configurations))))
            return compiled_model(configurations[number], spec["shape"], scored=False)

        def fit(self, hp: Any, model: Any, *args: Any, **options: Any) -> Any:
            batch = configurations[hp.get("configuration")]["batch_size"]
            return model.fit(*args, batch_size=batch, **options)

    search = keras_tuner.RandomSearch(
        Listed(),
        objective="val_loss",
        max_trials=len(configurations),
        seed=spec["seed"],
        directory=str(folder),
        project_name="tuner",
        overwrite=True,
    )
    begun = time.perf_counter()
    search.search(
        fold["x_train"],
        fold["y_train"],
        validation_data=(fold["x_valid"], fold["y_valid"]),
        epochs=spec["epochs"],
        verbose=0,
    )
    seconds = time.perf_counter() - begun
    statuses = {trial.status for trial in search.oracle.trials.values()}
    if statuses != {"COMPLETED"}:
        raise RuntimeError(f"KerasTuner's trials ended as {sorted(statuses)}")
    return {
        "seconds": seconds,
        "import_seconds": import_seconds,
        "trials": len(search.oracle.trials),
        "peak_mb": peak_megabytes(),
    }


if __name__ == "__main__":
    side(work)
