"""How to make these results again."""

from __future__ import annotations

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Code, Facts, Paste, Section, Text

__all__ = ["remake"]


def remake(outcome: StudyOutcome) -> Section:
    """Commands, versions, and the files that define the study."""
    summary = outcome.summary
    seal = summary["seal"]
    blocks: list[Block] = [
        Paste(f"make study NAME={summary['study']}", mono=True),
        Text(
            "The same seed on the same machine with one worker gives the same trials and scores; "
            "with several workers the order in which trials end, and so the search, may differ.",
            "note",
        ),
        Facts(
            (
                ("Seed", str(summary["seed"])),
                ("Code", seal["code_version"] if seal else ""),
                ("Versions", ", ".join(f"{k} {v}" for k, v in summary["versions"].items())),
            )
        ),
        Code(f"studies/{summary['study']}.yaml", outcome.study_yaml),
    ]
    blocks += [
        Code(f"search_spaces/{name}.yaml", text) for name, text in outcome.space_yaml.items()
    ]
    return Section("remake", "Make it again", tuple(blocks))
