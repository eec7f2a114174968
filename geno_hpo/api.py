"""The same as the command line, from Python: ``Study.from_yaml("studies/inh.yaml").run()``.

Everything here is thin: the work is in `study`, `report` and `bundle`. Progress is told by plain
sentences, and in a notebook by a bar.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geno_hpo.errors import InputError
from geno_hpo.notebook import Cell, Still, choose, stills
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan

if TYPE_CHECKING:
    import pandas as pd

    from geno_hpo.bundle import Manifest

__all__ = ["Results", "Study"]

STUDIES = "studies"


@dataclass(frozen=True)
class Results:
    """What a finished study found.

    Parameters
    ----------
    summary
        The content of ``summary.json`` (docs/summary.md).
    page
        The report, one HTML file.
    """

    summary: dict[str, Any]
    page: Path

    @property
    def sentence(self) -> str:
        """The verdict in one sentence; empty where there is no baseline."""
        comparison = self.summary.get("comparison")
        return str(comparison["sentence"]) if comparison else ""

    @property
    def leaderboard(self) -> pd.DataFrame:
        """A row a model, best first."""
        import pandas as pd

        return pd.DataFrame(self.summary["leaderboard"])

    @property
    def figures(self) -> tuple[str, ...]:
        """Names of the report's figures."""
        return tuple(stills(self.page.parent))

    def figure(self, name: str) -> Still:
        """One of the report's figures, which a notebook shows.

        Raises
        ------
        InputError
            There is none of this name.
        """
        return choose(stills(self.page.parent), name)

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f"<p>{self.sentence}</p>{self.leaderboard.to_html(index=False)}"


class Study:
    """A study of a project folder.

    Parameters
    ----------
    name
        Its file's name without suffix, as on the command line (``inh``).
    root
        The project folder, with ``studies/`` and ``search_spaces/``.

    Raises
    ------
    InputError
        There is no such study, or its files have faults; all of them are told.
    """

    def __init__(self, name: str, root: Path | str = ".") -> None:
        self.project = Project(Path(root))
        self.name = name
        self.plan: StudyPlan = load_plan(self.project, name)

    @classmethod
    def from_yaml(cls, path: Path | str) -> Study:
        """The study that a file ``PROJECT/studies/NAME.yaml`` describes.

        Raises
        ------
        InputError
            The file does not lie in a folder ``studies``, or has faults.
        """
        file = Path(path).absolute()
        if file.parent.name != STUDIES:
            raise InputError(
                f"a study file lies in a folder {STUDIES}/ of its project, got {path}; "
                "search_spaces/ stands beside that folder"
            )
        return cls(file.stem, file.parent.parent)

    def run(
        self,
        *,
        workers: int | None = None,
        fresh: bool = False,
        say: Callable[[str], None] = print,
    ) -> Results:
        """Run the study to its report, or go on with an interrupted one.

        Parameters
        ----------
        workers
            Local worker processes; None takes the study's, else as many as train fastest.
        fresh
            Start a new generation beside the old trials.
        say
            Called with a sentence when something begins. A notebook shows a bar as well.

        Raises
        ------
        GenoHpoError
            The study had to stop; the message says why and what to do.
        """
        from geno_hpo.study.launch import Launch
        from geno_hpo.study.nested import NestedLaunch

        cell = Cell(say)
        if self.plan.nested:
            NestedLaunch(
                self.project,
                self.name,
                workers=workers,
                fresh=fresh,
                begin=lambda key: say(f"outer fold {key}"),
                say=say,
                watch=cell.watch,
            ).run()
        else:
            Launch(
                self.project, self.name, workers=workers, fresh=fresh, say=say, watch=cell.watch
            ).run()
        return self.results()

    def results(self) -> Results:
        """Draw the report of a finished study, and give what it says.

        Raises
        ------
        InputError
            The study is not finished.
        """
        from geno_hpo.report.publish import publish, publish_nested
        from geno_hpo.study.record import find_run_study

        if self.plan.nested:
            from geno_hpo.study.record import find_key
            from geno_hpo.study.storage import open_storage

            key = find_key(open_storage(self.project.storage_url), self.name)
            published = publish_nested(self.project, key)
        else:
            published = publish(self.project, str(find_run_study(self.project, self.name)))
        return Results(published.summary, published.page)

    def export(self, folder: Path | str, *, with_genotypes: bool = False) -> Manifest:
        """Write the winner as a bundle; see ``geno-hpo export``.

        Parameters
        ----------
        folder
            Where to.
        with_genotypes
            After ``impute: knn``: whether the training samples' genotypes may be written into it.

        Raises
        ------
        InputError
            The study is not finished.
        BundleError
            The folder cannot be written.
        """
        from geno_hpo.study.export import export_study

        return export_study(self.project, self.name, Path(folder), genotypes=with_genotypes)

    def predict(self, inputs: Path | str, *, bundle: Path | str | None = None) -> pd.DataFrame:
        """Predict samples without labels, as ``geno-hpo predict`` does.

        Parameters
        ----------
        inputs
            FASTA, one-hot CSV, BAM, VCF, PLINK or a SNP table.
        bundle
            Folder of the bundle; made there if it is none yet. None takes the study's work folder.

        Returns
        -------
        DataFrame
            The rows of ``predictions.csv``.

        Raises
        ------
        BundleError
            The input is not what the study was made for.
        """
        import pandas as pd

        from geno_hpo.bundle import InputOptions, open_bundle, open_samples, predict
        from geno_hpo.bundle.manifest import MANIFEST
        from geno_hpo.bundle.table import heads, rows

        folder = self.plan.work / "bundle" if bundle is None else Path(bundle)
        if bundle is None or not (folder / MANIFEST).is_file():
            self.export(folder)
        opened = open_bundle(folder)
        samples = open_samples(opened, (Path(inputs),), InputOptions())
        found = [row for each in predict(opened, samples) for row in rows(opened.manifest, each)]
        table = pd.DataFrame(found, columns=list(heads(opened.manifest)))
        texts = {"sample", "call", opened.manifest.subject}
        numbers = [name for name in table.columns if name not in texts]
        return table.astype(dict.fromkeys(numbers, float)) if len(table) else table
