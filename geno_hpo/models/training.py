"""Hyperparameters of training, shared by every family: optimizer, schedule, penalties, chance."""

from __future__ import annotations

from geno_hpo.models.parameter import Parameter, Value, share

__all__ = ["INITIALIZERS", "OPTIMIZERS", "SCHEDULES", "TRAINING"]

OPTIMIZERS: dict[str, tuple[str, ...]] = {
    "adadelta": ("rho",),
    "adagrad": (),
    "adam": ("beta_1", "beta_2"),
    "adamax": ("beta_1", "beta_2"),
    "adamw": ("beta_1", "beta_2"),
    "ftrl": (),
    "lion": ("beta_1", "beta_2"),
    "nadam": ("beta_1", "beta_2"),
    "rmsprop": ("rho", "momentum"),
    "sgd": ("momentum", "nesterov"),
}
"""Keras optimizers by their Keras name, and the parameters that belong to each."""

SCHEDULES: dict[str, dict[str, Value]] = {
    "constant": {},
    "cosine": {"final_fraction": 0.0},
    "exponential": {"final_fraction": 0.01},
    "reduce_on_plateau": {"plateau_patience": 5, "plateau_factor": 0.5},
}
"""Learning-rate schedules, and the parameters that belong to each with their defaults."""

INITIALIZERS: dict[str, tuple[str, str]] = {
    f"{name}_{form}": (name, form)
    for name in ("glorot", "he", "lecun")
    for form in ("uniform", "normal")
}
"""Initial distributions by their Keras name: whose rule of the variance, and the form."""

TRAINING: tuple[Parameter, ...] = (
    Parameter(
        "select",
        "int",
        None,
        "Variant tables: number of variants with the smallest p-values that enter, in place of "
        "the study's preprocess.select.",
        low=1,
        host=True,
    ),
    Parameter(
        "batch_size", "int", 32, "Samples a step; the last batch may be smaller.", low=1, host=True
    ),
    Parameter(
        "learning_rate", "float", 1e-3, "Learning rate.", low=0.0, open_low=True, runtime=True
    ),
    Parameter(
        "schedule",
        "choice",
        "constant",
        "Course of the learning rate over all epochs the trial may have, step by step as Keras's "
        "CosineDecay and ExponentialDecay; reduce_on_plateau: by the mean validation score.",
        choices=tuple(SCHEDULES),
        host=True,
    ),
    Parameter(
        "warmup",
        "float",
        None,
        "Epochs (or a part of one) in which the learning rate rises from 0, step by step.",
        low=0.0,
        host=True,
    ),
    Parameter(
        "final_fraction",
        "float",
        None,
        "Share of the learning rate left at the end of cosine (0) or exponential (0.01).",
        low=0.0,
        high=1.0,
        host=True,
    ),
    Parameter(
        "plateau_patience",
        "int",
        None,
        "Epochs without a better score before reduce_on_plateau lowers the rate (5).",
        low=1,
        host=True,
    ),
    Parameter(
        "plateau_factor",
        "float",
        None,
        "What reduce_on_plateau multiplies the rate by (0.5).",
        low=0.0,
        high=1.0,
        open_low=True,
        open_high=True,
        host=True,
    ),
    Parameter("optimizer", "choice", "adam", "Keras optimizer.", choices=tuple(OPTIMIZERS)),
    Parameter(
        "weight_decay",
        "float",
        None,
        "Decoupled decay of every trainable variable, as Keras applies it; adamw: 0.004.",
        low=0.0,
        runtime=True,
    ),
    share("momentum", "Momentum of sgd and rmsprop; without it there is none."),
    Parameter("nesterov", "bool", None, "Nesterov momentum of sgd; without it false."),
    share("beta_1", "Decay of the first moment; without it Keras's default."),
    share("beta_2", "Decay of the second moment; without it Keras's default."),
    share("rho", "Decay of the squared gradient; without it Keras's default."),
    Parameter(
        "l2", "float", None, "L2 penalty on kernels: l2 × sum of squares.", low=0.0, runtime=True
    ),
    Parameter(
        "l1",
        "float",
        None,
        "L1 penalty on kernels: l1 × sum of absolute values; with l2 an elastic net.",
        low=0.0,
        runtime=True,
    ),
    share("label_smoothing", "Label smoothing of the classification losses, as in Keras."),
    Parameter(
        "focal_gamma",
        "float",
        None,
        "Focal loss of classification: (1 − chance of the truth)^gamma times the cross-entropy.",
        low=0.0,
        runtime=True,
    ),
    Parameter(
        "huber_delta",
        "float",
        None,
        "Regression: Huber's loss, linear from errors of this many standard deviations on (of the "
        "trait's unit where scale_target is false), in place of the squared error.",
        low=0.0,
        open_low=True,
        runtime=True,
    ),
    Parameter(
        "clip_norm",
        "float",
        None,
        "Longest gradient: a longer one (penalties included) is shortened to it, all variables "
        "together, as Keras's global_clipnorm.",
        low=0.0,
        open_low=True,
        runtime=True,
    ),
    Parameter(
        "noise",
        "float",
        None,
        "Standard deviation of Gaussian noise added to the model's inputs in training.",
        low=0.0,
        runtime=True,
    ),
    share(
        "cutout",
        "Share of the positions, one stretch of each sample at a place of chance, that training "
        "sees as unknown (0); drawn anew in every step.",
    ),
    Parameter(
        "mixup",
        "float",
        None,
        "Mixes each sample of a step with another of the batch, inputs and losses alike, by shares "
        "from the Beta distribution that has this value as both parameters.",
        low=0.0,
        open_low=True,
        runtime=True,
    ),
    Parameter(
        "max_norm",
        "float",
        None,
        "Longest vector of weights into one unit or filter; after each step a longer one is "
        "shortened to it, as Keras's MaxNorm.",
        low=0.0,
        open_low=True,
        runtime=True,
    ),
    Parameter(
        "initializer",
        "choice",
        "glorot_uniform",
        "Distribution of the initial kernels, by its Keras name.",
        choices=tuple(INITIALIZERS),
        host=True,
    ),
    share(
        "strand_flip",
        "Sequences: chance of each sample to be read as its reverse complement, in training; drawn "
        "anew in every step.",
    ),
    share(
        "mutation_rate",
        "Sequences: chance of each known base to be replaced, in training, by one of the other "
        "three; drawn anew in every epoch. Gaps and unknown bases stay.",
    ),
)
