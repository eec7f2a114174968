"""Networks over windows of variants: one kernel for all windows, or one for each.

Convolved with a stride, neighbouring variants (in linkage disequilibrium) are summed up by the same
few filters wherever they stand. *Locally connected*, each window has filters of its own, for what a
variant does depends on where it stands; windows then lie side by side. Further convolutions and
pooling may follow.

References
----------
Bellot et al., Can deep learning improve genomic prediction of complex human traits?, Genetics 2018.
Pook et al., Using local convolutional neural networks for genomic prediction, Frontiers in Genetics
2020.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.models.common import (
    ACTIVATION,
    BATCH_NORM,
    DENSE,
    DROPOUT,
    POOLING_HEAD,
    SPATIAL_DROPOUT,
    at_most_length,
)
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tower import Activate, Conv, Head, Norm, Part, Pool, Spatial, Tower

__all__ = ["SNP_CNN"]


def _check(params: Parameters, shape: ModelShape) -> None:
    """Refuse windows wider than the row, and strides that pass variants by."""
    at_most_length(params, shape, "kernel", "pool")
    stride, kernel = params.get("stride"), int(params["kernel"])
    if stride is not None and params["locally_connected"]:
        raise InputError(
            f"stride belongs to shared kernels: locally connected windows lie side by side, "
            f"got stride {stride}"
        )
    if stride is not None and int(stride) > kernel:
        raise InputError(
            f"stride must be at most the kernel {kernel}, or variants are passed by, got {stride}"
        )


def _first(params: Parameters) -> Conv:
    kernel = int(params["kernel"])
    stride = int(params.get("stride", kernel))
    return Conv("conv_1", int(params["filters"]), kernel, stride, bias=not params["batch_norm"])


def _after(params: Parameters) -> Tower:
    """What follows the first layer's windows, head included."""
    norm, activation, pool = params["batch_norm"], str(params["activation"]), int(params["pool"])
    filters, width = int(params["filters"]), int(params["later_kernel"])
    parts: list[Part] = []
    for level in range(1, int(params["conv_layers"]) + 1):
        name = f"conv_{level}"
        parts.extend([Conv(name, filters, width, bias=not norm)] if level > 1 else [])
        parts.extend([Norm(f"{name}_norm")] if norm else [])
        parts.append(Activate(f"{name}_{activation}", activation))
        parts.extend([Pool(f"pool_{level}", pool)] if pool > 1 else [])
        parts.extend([Spatial(f"spatial_{level}")] if "spatial_dropout" in params else [])
    return (*parts, Head(str(params["pooling_head"])))


def _tower(params: Parameters, _shape: ModelShape) -> Tower | None:
    """Describe the tower; None where each window has a kernel of its own."""
    return None if params["locally_connected"] else (_first(params), *_after(params))


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, variants)`` to ``(batch, features)``."""
    first = _first(params)
    if params["locally_connected"]:
        tensor = _local(inputs, first)
    else:
        tensor = blocks.stack(blocks.channels(inputs), (first,))
    return blocks.decide(blocks.stack(tensor, _after(params)), params)


def _local(inputs: Any, conv: Conv) -> Any:
    """A kernel for each window: ``(batch, variants)`` → ``(batch, windows, filters)``."""
    from keras import layers

    windows = -(-inputs.shape[1] // conv.kernel)
    missing = windows * conv.kernel - inputs.shape[1]
    tensor = layers.Reshape((inputs.shape[1], 1), name="channel")(inputs)
    if missing:
        tensor = layers.ZeroPadding1D((0, missing), name="fill")(tensor)
    tensor = layers.Reshape((windows, conv.kernel), name="windows")(tensor)
    layer = layers.EinsumDense(
        "bwk,wkf->bwf",
        output_shape=(windows, conv.filters),
        bias_axes="wf" if conv.bias else None,
        name="local_1",
    )
    return layer(tensor)


SNP_CNN = Family(
    name="snp_cnn",
    label="SNP CNN",
    description="Windows of variants, each read by the same kernel or by one of its own.",
    kinds=("variants",),
    parameters=(
        Parameter("filters", "int", 16, "Filters of each layer.", low=1),
        Parameter("kernel", "int", 16, "Variants in a window.", low=1),
        Parameter(
            "stride", "int", None, "Variants from one window to the next; else kernel.", low=1
        ),
        Parameter("locally_connected", "bool", False, "A kernel of its own for each window."),
        Parameter("conv_layers", "int", 1, "Convolutions, the first included.", low=1, high=8),
        Parameter("later_kernel", "int", 3, "Width of the further convolutions.", low=1),
        Parameter("pool", "int", 1, "Width of max pooling after each; 1 for none.", low=1),
        POOLING_HEAD,
        *DENSE,
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
        SPATIAL_DROPOUT,
    ),
    check=_check,
    body=_body,
    tower=_tower,
    reference="Bellot et al. 2018; Pook et al. 2020",
)
