from __future__ import annotations

from tests.cli.test_commands import geno_hpo


def test_show_gives_the_lines_of_a_study() -> None:
    shown = geno_hpo("data", "show", "kg1_aisnp").stdout
    assert "data: {catalogue: kg1_aisnp}" in shown
    assert "target: superpopulation" in shown
    assert "task: multiclass" in shown
    assert "option     panel" in shown


def test_a_preview_reads_the_data() -> None:
    told = geno_hpo("data", "preview", "katg_simulated")
    assert told.returncode == 0, told.stderr
    assert "1,800 samples × 2,223 bases" in told.stdout
    assert "Simulated data" in told.stdout
    assert "group lineage: 7 values" in told.stdout
    assert "sim00001" in told.stdout


def test_a_preview_of_what_cannot_be_read() -> None:
    told = geno_hpo("data", "preview", "tb_reads")
    assert told.returncode == 2
    assert "no reader" in told.stderr
    wrong = geno_hpo("data", "preview", "katg_simulated", "--task", "binar")
    assert wrong.returncode == 2
    assert "task is one of binary, multiclass" in wrong.stderr
