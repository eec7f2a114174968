"""Training: one protocol, one module a backend; the only place that knows TensorFlow.

`geno_hpo.training.protocol`, `coding` and `runtime` import without TensorFlow.
"""
