"""The plain script: Optuna's ``optimize``, Keras's ``model.fit``, MLflow logged each epoch.

As a user writes it: sequential, both databases SQLite, TensorFlow's own threads, the session
cleared between trials. With several folds it trains one after the other; with a median pruner the
first fold's epochs are what is reported (`benchmarks.process` starts it).
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.process import peak_megabytes, side, warm_up

__all__ = ["work"]


def work(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run the trials that the specification asks for; times of start and end, and scores."""
    import_seconds = warm_up()
    import keras
    import mlflow
    import optuna

    from benchmarks.folds import read_folds
    from benchmarks.keras_fit import compiled_model
    from geno_hpo.space import SearchSpace, load_space

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folds = read_folds(Path(spec["folds"]))
    space = SearchSpace((load_space(Path(spec["space"])),))
    scored, seed = bool(spec["scored"]), int(spec["seed"])
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.set_experiment("bench")
    random = optuna.samplers.RandomSampler(seed=seed)
    study = optuna.create_study(
        storage=f"sqlite:///{folder / 'optuna.db'}",
        direction="maximize" if scored else "minimize",
        sampler=random if spec["sampler"] == "random" else optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner() if spec["prune"] else optuna.pruners.NopPruner(),
    )
    for params in spec["configurations"]:
        study.enqueue_trial(space.to_optuna(params))
    ended: list[tuple[float, float | None]] = []
    begun = time.perf_counter()

    class Logger(keras.callbacks.Callback):  # type: ignore[misc]
        """Log an epoch to MLflow, and report the first fold's to Optuna."""

        def __init__(self, trial: Any, fold: int) -> None:
            super().__init__()
            self.trial, self.fold = trial, fold

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            logs = logs or {}
            mlflow.log_metrics({f"{k}.fold{self.fold}": v for k, v in logs.items()}, step=epoch)
            if spec["prune"] and self.fold == 0:
                self.trial.report(logs["val_score"], epoch)
                if self.trial.should_prune():
                    raise optuna.TrialPruned

    def objective(trial: Any) -> float:
        params = space.suggest(trial)
        curves = []
        with mlflow.start_run(run_name=f"trial {trial.number}"):
            mlflow.log_params(dict(params))
            for number, fold in enumerate(folds):
                keras.backend.clear_session()
                network = compiled_model(dict(params), spec["shape"], scored=scored)
                history = network.fit(
                    fold["x_train"],
                    fold["y_train"],
                    batch_size=params["batch_size"],
                    epochs=spec["epochs"],
                    validation_data=(fold["x_valid"], fold["y_valid"]),
                    verbose=0,
                    callbacks=[Logger(trial, number)],
                ).history
                curves.append(history["val_score" if scored else "val_loss"])
            means = [sum(values) / len(values) for values in zip(*curves, strict=True)]
            best = max(means) if scored else min(means)
            mlflow.log_metric("best", best)
        return float(best)

    def follow(study: Any, trial: Any) -> None:
        seconds = time.perf_counter() - begun
        ended.append((seconds, trial.value))
        reached = spec["goal"] is not None and (trial.value or 0.0) >= spec["goal"]
        if reached or seconds > spec["limit"]:
            study.stop()

    study.optimize(objective, n_trials=spec["trials"], callbacks=[follow])
    return {
        "seconds": time.perf_counter() - begun,
        "import_seconds": import_seconds,
        "trials": len(ended),
        "ended": ended,
        "peak_mb": peak_megabytes(),
    }


if __name__ == "__main__":
    side(work)
