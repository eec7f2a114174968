"""What model families, losses and optimizers offer can be asked for in a space file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
import pytest

from geno_hpo.models import FAMILIES, ModelShape, check
from geno_hpo.models.parameter import Parameter
from geno_hpo.models.training import OPTIMIZERS, SCHEDULES, TRAINING
from geno_hpo.space import SearchSpace, load_space

SHAPES: dict[str, ModelShape] = {
    "sequence": ModelShape("sequence", 60, 5, 1, "binary", (40, 20)),
    "variants": ModelShape("variants", 60, 1, 1, "binary"),
}
TRAIT = ModelShape("variants", 60, 1, 1, "regression")
PLACES = {
    "focal_gamma": ("mlp", "focal_gamma: {float: [0.5, 3.0]}"),
    "label_smoothing": ("mlp", "label_smoothing: {float: [0.0, 0.2]}"),
    "class weights": ("mlp", "l2: 0.1"),
    "elastic net": ("mlp", "l1: {float: [1.0e-6, 1.0e-2], log: true}\nl2: 1.0e-4"),
    "mutation": ("cnn", "mutation_rate: {float: [0.0, 0.2], step: 0.05}"),
    "reverse complement, augmented": ("cnn", "strand_flip: {choice: [0.0, 0.5]}"),
    "reverse complement, aware": ("cnn", "strands: {choice: [one, max, mean]}"),
    "wide and deep": ("mlp", "wide: {choice: [true, false]}"),
    "locally connected": (
        "snp_cnn",
        "locally_connected: {branch: {true: {}, false: {stride: {choice: [5, 10]}}}}\nkernel: 10",
    ),
    "both ways": ("rnn", "cell: {choice: [lstm, gru]}\nbidirectional: {choice: [true, false]}"),
    "windows of a long row": ("rnn", "tokens: {choice: [6, 12]}\nkernel: {choice: [3, 5]}"),
    "auxiliary network": ("diet", "auxiliary_neurons: {int: [8, 32]}\nreconstruction: 0.5"),
    "stochastic depth": ("residual", "stochastic_depth: {float: [0.0, 0.5], step: 0.1}"),
    "dilation": ("dilated", "dilated_layers: {int: [2, 4]}\nkernel: 5"),
    "loci": ("cnn", "loci: {choice: [joined, stacked, shared, own]}"),
    "mixed samples": ("mlp", "mixup: {float: [0.1, 1.0]}\ncutout: 0.1\nnoise: 0.2"),
    "max-norm, clipping": ("cnn", "max_norm: {float: [1.0, 4.0]}\nclip_norm: 1.0"),
    "channels dropped": ("cnn", "spatial_dropout: {float: [0.0, 0.3], step: 0.1}"),
}


def drawn(path: Path, family: str, lines: str, number: int = 12) -> list[dict[str, Any]]:
    """Configurations that trials draw from a space file of these parameters."""
    indented = "".join(f"  {line}\n" for line in lines.splitlines())
    path.write_text(f"family: {family}\nparameters:\n{indented}")
    space = SearchSpace((load_space(path),))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    return [dict(space.suggest(study.ask())) for _ in range(number)]


def shape_for(family: str) -> ModelShape:
    kinds = FAMILIES[family].kinds
    return SHAPES["sequence" if family in ("cnn", "dilated") else kinds[-1]]


@pytest.mark.parametrize("what", PLACES)
def test_what_a_tutorial_teaches_is_a_line_of_a_space(what: str, tmp_path: Path) -> None:
    family, lines = PLACES[what]
    for params in drawn(tmp_path / "one.yaml", family, lines):
        check(params, shape_for(family))
        assert params.keys() > {"family"}


def test_every_optimizer_and_schedule_is_a_branch_with_its_own_parameters(tmp_path: Path) -> None:
    floats = ("beta_1", "beta_2", "rho", "momentum")
    ranges = dict.fromkeys(floats, "{float: [0.5, 0.95]}") | {"nesterov": "{choice: [true, false]}"}

    def branch(own: tuple[str, ...]) -> str:
        return "{" + ", ".join(f"{name}: {ranges[name]}" for name in own) + "}"

    lines = ["optimizer:", "  branch:"]
    lines += [f"    {name}: {branch(own)}" for name, own in OPTIMIZERS.items()]
    lines += ["schedule:", "  branch:", "    constant: {}"]
    lines += ["    cosine: {final_fraction: {float: [0.0, 0.1]}, warmup: 2}"]
    lines += ["    exponential: {final_fraction: {float: [0.01, 0.1]}}"]
    lines += ["    reduce_on_plateau: {plateau_patience: {int: [2, 5]}, plateau_factor: 0.5}"]
    found = drawn(tmp_path / "one.yaml", "mlp", "\n".join(lines), number=150)
    for params in found:
        check(params, TRAIT)
        foreign = {x for own in OPTIMIZERS.values() for x in own}
        foreign -= set(OPTIMIZERS[params["optimizer"]])
        assert not foreign & params.keys(), "parameters live in their own branch"
    assert {params["optimizer"] for params in found} == set(OPTIMIZERS)
    assert {params["schedule"] for params in found} == set(SCHEDULES)


def asked(parameter: Parameter) -> str:
    """A line of a space file for any parameter."""
    if parameter.kind == "choice":
        return f"{parameter.name}: {{choice: [{', '.join(parameter.choices)}]}}"
    if parameter.kind == "bool":
        return f"{parameter.name}: {{choice: [true, false]}}"
    low = max(parameter.low, 0.0)
    if parameter.kind == "int":
        return f"{parameter.name}: {{int: [{max(int(low), 1)}, {max(int(low), 1) + 1}]}}"
    return f"{parameter.name}: {{float: [{low + 0.1}, {min(parameter.high, 1.0) - 0.1}]}}"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_of_a_family_is_reachable(family: str, tmp_path: Path) -> None:
    for parameter in FAMILIES[family].parameters:
        found = drawn(tmp_path / "one.yaml", family, asked(parameter), number=4)
        assert all(parameter.name in params for params in found)


@pytest.mark.parametrize("parameter", TRAINING, ids=lambda one: one.name)
def test_every_parameter_of_training_is_reachable(parameter: Parameter, tmp_path: Path) -> None:
    only = {"momentum": "sgd", "nesterov": "sgd", "rho": "rmsprop"}
    courses = {name: key for key, own in SCHEDULES.items() for name in own}
    courses |= {"final_fraction": "cosine"}
    lines = [asked(parameter)]
    if parameter.name in only:
        lines.append(f"optimizer: {only[parameter.name]}")
    if parameter.name in courses:
        lines.append(f"schedule: {courses[parameter.name]}")
    sequences = parameter.name in ("mutation_rate", "strand_flip")
    shape = SHAPES["sequence"] if sequences else SHAPES["variants"]
    if parameter.name == "huber_delta":
        shape = TRAIT
    if parameter.name == "optimizer":
        return  # the test of all of them
    for params in drawn(tmp_path / "one.yaml", "mlp", "\n".join(lines), number=4):
        check(params, shape)


def test_early_stopping_and_class_weights_are_the_studys(tmp_path: Path) -> None:
    from geno_hpo.config import load_study

    path = tmp_path / "one.yaml"
    path.write_text(
        "data: {variants: a.csv}\ntarget: [rif, inh]\ntask: multilabel\nspaces: [mlp]\n"
        "budget: {patience: 3}\npreprocess: {class_weight: balanced}\n"
    )
    config = load_study(path)
    assert (config.budget.patience, config.preprocess.class_weight) == (3, "balanced")


Searching = Callable[[int], optuna.samplers.BaseSampler]


@pytest.mark.parametrize("name", ["tpe", "random", "qmc", "grid", "cmaes", "genetic"])
def test_families_compete_under_every_sampler(name: str, tmp_path: Path) -> None:
    """The family is the first branch; what a sampler cannot order it draws at random."""
    from geno_hpo.config import SamplerConfig
    from geno_hpo.study.samplers import check_sampler, make_sampler

    files = {
        "mlp": "  layers: {int: [1, 3]}\n  neurons: {int: [8, 64], step: 8}\n",
        "cnn": "  kernel: {int: [3, 12]}\n  filters: {int: [4, 32], step: 4}\n",
        "residual": "  blocks: {int: [1, 4]}\n  dropout: {float: [0.0, 0.5], step: 0.1}\n",
    }
    for family, lines in files.items():
        (tmp_path / f"{family}.yaml").write_text(f"family: {family}\nparameters:\n{lines}")
    space = SearchSpace(tuple(load_space(tmp_path / f"{family}.yaml") for family in files))
    config = SamplerConfig(name=name, population=10)  # type: ignore[arg-type]
    check_sampler(config, space, 90)
    sampler: Searching = make_sampler(config, 5, conditional=space.conditional)
    study = optuna.create_study(direction="maximize")
    found = []
    for number in range(90):
        study.sampler = sampler(number)
        trial = study.ask()
        params = space.suggest(trial)
        found.append(params["family"])
        check(params, SHAPES["sequence"])
        worth = {"mlp": 0.0, "cnn": 1.0, "residual": 0.2}[str(params["family"])]
        study.tell(trial, worth + float(params.get("kernel", 0)) / 12)  # type: ignore[arg-type]
    assert set(found) == set(files)
    if name in ("tpe", "genetic"):
        assert found[40:].count("cnn") > 25, "the family that scores best is searched most"
