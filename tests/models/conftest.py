"""TensorFlow starts once for these tests, with one thread, as a worker has it."""

from __future__ import annotations

from geno_hpo.training.setup import configure

configure(threads=1)
