"""Hyperparameters of models and training: names, rules, defaults, and which are runtime values.

One flat dict of short names describes a configuration. A parameter that is left out takes its
default. *Runtime* parameters change no shape: trials that differ only in them share one compiled
function. A runtime parameter without a default (``dropout``, ``l2`` …) is switched off by leaving
it out, and then costs nothing. *Host* parameters (``batch_size``, ``schedule`` …) are not in the
compiled function at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from geno_hpo.errors import InputError

__all__ = [
    "INITIALIZERS",
    "OPTIMIZERS",
    "SCHEDULES",
    "TRAINING",
    "Parameter",
    "Parameters",
    "Value",
    "resolve",
    "share",
]

Value = bool | int | float | str
Parameters = Mapping[str, Value]


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter and its rule.

    Parameters
    ----------
    name
        Short name, as in a space file.
    kind
        ``int``, ``float``, ``bool`` or ``choice``.
    default
        Value when left out; None switches the feature off.
    low, high
        Bounds for numbers; `low` and `high` are allowed values unless `open_low`, `open_high`.
    choices
        Allowed values of a choice.
    runtime
        Whether a compiled function takes it as a value.
    host
        Whether it stays outside: whether it is on or off changes no compiled function either.
    doc
        One sentence.
    """

    name: str
    kind: str
    default: Value | None
    doc: str
    low: float = float("-inf")
    high: float = float("inf")
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    runtime: bool = False
    host: bool = False

    @property
    def rule(self) -> str:
        """The rule in words, such as ``dropout must lie in [0, 1)``."""
        if self.kind == "choice":
            return f"{self.name} must be one of {', '.join(self.choices)}"
        if self.kind == "bool":
            return f"{self.name} must be true or false"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        if self.high == float("inf"):
            bounds = f"{'above' if self.open_low else 'at least'} {self.low:g}"
            return f"{self.name} must be {'an integer ' if self.kind == 'int' else ''}{bounds}"
        number = "be an integer in" if self.kind == "int" else "lie in"
        return f"{self.name} must {number} {left}{self.low:g}, {self.high:g}{right}"

    def check(self, value: Value) -> Value:
        """Give `value` in its own type.

        Raises
        ------
        InputError
            The value breaks the rule.
        """
        if self.kind == "choice":
            good = isinstance(value, str) and value in self.choices
        elif self.kind == "bool":
            good = isinstance(value, bool)
        elif isinstance(value, (bool, str)):
            good = False
        else:
            good = self.low <= value <= self.high and not (
                (self.open_low and value == self.low) or (self.open_high and value == self.high)
            )
            good = good and (self.kind == "float" or float(value).is_integer())
        if not good:
            raise InputError(f"{self.rule}, got {value!r}")
        if self.kind == "int":
            return int(value)
        return float(value) if self.kind == "float" else value


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


def share(name: str, doc: str, default: Value | None = None) -> Parameter:
    """Make a runtime float in [0, 1)."""
    return Parameter(name, "float", default, doc, low=0.0, high=1.0, open_high=True, runtime=True)


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
"""Parameters of training, shared by every family."""


def resolve(params: Parameters, known: Iterable[Parameter]) -> dict[str, Value]:
    """Check `params` against `known` and fill in defaults.

    Parameters
    ----------
    params
        Flat hyperparameters; ``family`` is passed through.
    known
        The family's parameters and those of training.

    Returns
    -------
    dict
        Every parameter that is set or has a default, in the order of `known`, after ``family``.

    Raises
    ------
    InputError
        An unknown name (the nearest known one is told), a value that breaks its rule, or a
        parameter of another optimizer.
    """
    table = {parameter.name: parameter for parameter in known}
    for name in params:
        if name != "family" and name not in table:
            near = get_close_matches(name, table, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"unknown parameter {name!r} for family {params.get('family')!r}{hint} "
                f"(known: {', '.join(sorted(table))})"
            )
    full: dict[str, Value] = {"family": params["family"]} if "family" in params else {}
    for name, parameter in table.items():
        if name in params:
            full[name] = parameter.check(params[name])
        elif parameter.default is not None:
            full[name] = parameter.default
    optimizer = str(full.get("optimizer", ""))
    own = {name for names in OPTIMIZERS.values() for name in names}
    for name in sorted(own & full.keys()):
        if name not in OPTIMIZERS.get(optimizer, ()):
            homes = [key for key, names in OPTIMIZERS.items() if name in names]
            raise InputError(
                f"{name} belongs to optimizer {', '.join(homes)}, got it with {optimizer!r}"
            )
    if optimizer == "adamw":
        full.setdefault("weight_decay", 0.004)
    _complete_schedule(full)
    return full


def _complete_schedule(full: dict[str, Value]) -> None:
    """Check and fill in, in place, what belongs to the learning rate's schedule."""
    schedule = str(full.get("schedule", "constant"))
    own = {name for defaults in SCHEDULES.values() for name in defaults}
    for name in sorted(own & full.keys()):
        if name not in SCHEDULES[schedule]:
            homes = [key for key, defaults in SCHEDULES.items() if name in defaults]
            raise InputError(
                f"{name} belongs to schedule {', '.join(homes)}, got it with {schedule!r}"
            )
    for name, default in SCHEDULES[schedule].items():
        full.setdefault(name, default)
    if schedule == "exponential" and full["final_fraction"] == 0.0:
        raise InputError("final_fraction must be above 0 with schedule exponential, got 0")
