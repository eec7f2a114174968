"""The shell completes names: installed into a real shell, and asked as the tab key asks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ASK = {
    "bash": """
        source ~/.bashrc
        COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        $(complete -p geno-hpo | sed 's/.*-F \\([^ ]*\\).*/\\1/') geno-hpo
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """,
    "zsh": """
        grep -q '^#compdef geno-hpo' ~/.zfunc/_geno-hpo || exit 1
        _GENO_HPO_COMPLETE=complete_zsh _TYPER_COMPLETE_ARGS="{words}" geno-hpo
    """,
    "fish": """
        source ~/.config/fish/completions/geno-hpo.fish
        complete --do-complete '{words}'
    """,
}


def shell(name: str, home: Path, script: str) -> str:
    """Run a script in a shell at home in `home`, in the project's folder."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    told = subprocess.run(
        [found, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            "HOME": str(home),
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
        },
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the program on its path."""
    home = tmp_path_factory.mktemp("home")
    program = home / "bin" / "geno-hpo"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m geno_hpo "$@"\n')
    program.chmod(0o755)
    return home


@pytest.fixture(scope="module")
def bash(home: Path) -> Path:
    """The same, with completion installed for bash."""
    assert "completion installed in" in shell("bash", home, "geno-hpo --install-completion; true")
    return home


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("geno-hpo run inh", {"inh", "inh_wdnn"}),
        ("geno-hpo export moti", {"motif"}),
        ("geno-hpo report inh whe", {"wheat"}),
        ("geno-hpo space show cnn_l", {"cnn_loci"}),
        ("geno-hpo data show katg_", {"katg_simulated"}),
        ("geno-hpo export inh --format on", {"onnx"}),
        ("geno-hpo run --root docs --fresh in", set()),
    ],
)
def test_bash_completes_names(bash: Path, words: str, offered: set[str]) -> None:
    assert set(shell("bash", bash, ASK["bash"].format(words=words)).split()) == offered


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_complete_a_study(home: Path, name: str) -> None:
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    shell(name, home, "geno-hpo --install-completion; true")
    told = shell(name, home, ASK[name].format(words="geno-hpo run moti"))
    assert "motif" in told.replace('"', " ").split()
