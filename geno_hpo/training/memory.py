"""Give back what TensorFlow keeps of a compiled function that is used no more.

A worker sees hundreds of shape signatures. Python's collector cannot free a traced graph: graph,
operations and tensors hold each other in C++, out of its sight. TensorFlow also keeps every custom
gradient ever traced in a global table (with the graph it was traced in), and every kernel of every
eagerly made variable. Each of the functions here undoes one of these.
"""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tensorflow.core.function.capture.capture_container import FunctionCaptures
from tensorflow.python.eager import context
from tensorflow.python.framework import ops
from tensorflow.python.framework.func_graph import dismantle_func_graph

__all__ = ["sweep", "take_apart", "tracing"]


@contextmanager
def tracing() -> Iterator[None]:
    """Trace a function inside: quicker, and with nothing left behind.

    Python's collector pauses: tracing makes very many objects and no garbage worth a search.
    Custom gradients that are registered inside are dropped at the end, so the function can be
    called, but not differentiated from outside.
    """
    table = ops.gradient_registry._registry
    before = set(table)
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        for name in set(table) - before:
            del table[name]


def take_apart(graph: Any) -> None:
    """Undo a function's graph and the graphs of its loops; none can be used again."""
    graphs, waiting = [], [graph]
    while waiting:
        graph = waiting.pop()
        graphs.append(graph)
        inner = [nested.graph for nested in graph._functions.values()]
        waiting.extend(g for g in inner if g is not None and g not in graphs)
    for graph in graphs:
        graph._function_captures = FunctionCaptures()
        graph.inputs, graph.outputs, graph.control_outputs = [], [], []
        graph.structured_outputs = graph.structured_input_signature = None
        graph._unfeedable_tensors.clear()
        dismantle_func_graph(graph)


def sweep() -> None:
    """Free unused kernels, and give free memory back to the system where the C library can.

    Compiled functions in use prepare themselves again at their next call (0.1 to 0.3 s each).
    """
    gc.collect()
    context.context().clear_kernel_cache()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
