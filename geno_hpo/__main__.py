"""``python -m geno_hpo`` is ``geno-hpo``."""

from geno_hpo.cli import main

if __name__ == "__main__":
    main()
