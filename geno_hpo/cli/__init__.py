"""The command line: parses arguments and shows progress; the work is done below.

Exit codes: 0 done, 1 failed, 2 bad input, 130 interrupted.
"""

from geno_hpo.cli.app import app, main

__all__ = ["app", "main"]
