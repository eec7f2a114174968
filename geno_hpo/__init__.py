"""geno_hpo: hyperparameter-optimisation experiments for genomic deep learning."""

__version__ = "0.1.0"
