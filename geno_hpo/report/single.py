"""Draw one trained configuration: ``ACC.png``, ``LOSS.png``, ``curves.csv`` and a small page.

``result.json`` keeps its score, so that a later configuration on the same folds is held against it.
"""

from __future__ import annotations

import base64
import json
import re
from html import escape
from pathlib import Path

from geno_hpo.metrics import METRICS
from geno_hpo.report.fit import Standing, fold_mean, judge
from geno_hpo.report.pictures import pictures
from geno_hpo.report.standing import fold_error
from geno_hpo.report.words import metric_label, missing, model_label, number
from geno_hpo.study.single import Trained

__all__ = ["next_folder", "said", "write_single"]

PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; line-height: 1.5;
  font-family: system-ui, sans-serif; color: #1c2127; background: #fcfbf8; }}
img {{ width: 49%; min-width: 18rem; }}
td {{ padding: .1rem 1.2rem .1rem 0; }}
</style></head><body>
<h1>{title}</h1>
<p>{answer}</p><p><strong>{kind}</strong> {fit}</p>
{images}
<h2>Configuration</h2><table>{rows}</table>
<p>One configuration, chosen by hand and judged on the validation folds. The test set stays sealed;
the score above is no result to publish.</p>
</body></html>
"""


def next_folder(reports: Path, family: str) -> Path:
    """A new folder ``train/003-cnn`` below a study's reports."""
    root = reports / "train"
    used = [int(path.name[:3]) for path in root.glob("*") if re.match(r"\d{3}-", path.name)]
    return root / f"{max(used, default=0) + 1:03d}-{family}"


def said(trained: Trained, folder: Path) -> tuple[str, str]:
    """What curves and score say, in a word and a sentence.

    Parameters
    ----------
    trained
        The configuration.
    folder
        Its own; those beside it hold the earlier ones.
    """
    fit = judge(trained.curves, _standing(trained, folder))
    return (fit.kind, fit.sentence) if fit else ("no verdict", "There is no finite loss.")


def _standing(trained: Trained, folder: Path) -> Standing:
    """Its score against the best of the study's trials and of those trained by hand before."""
    maximise = METRICS[trained.metric].maximise
    others = _earlier(trained, folder)
    if trained.best_known is not None:
        score, holder = trained.best_known
        others.append((score, model_label(holder)))
    sign = 1.0 if maximise else -1.0
    best = max(others, key=lambda one: sign * one[0], default=None)
    return Standing(
        score=trained.score,
        error=fold_error(trained.fold_scores),
        label=metric_label(trained.metric),
        maximise=maximise,
        chance=trained.chance,
        best=best[0] if best else None,
        holder=best[1] if best else "",
    )


def _earlier(trained: Trained, folder: Path) -> list[tuple[float, str]]:
    """Scores of configurations trained by hand on the same folds, and their folders' names."""
    found = []
    for path in sorted(folder.parent.glob("*/result.json")):
        kept = json.loads(path.read_text(encoding="utf-8"))
        same = (kept["metric"], kept["folds"]) == (trained.metric, trained.folds)
        if same and path.parent != folder and not missing(kept["score"]):
            found.append((float(kept["score"]), path.parent.name))
    return found


def write_single(trained: Trained, folder: Path) -> Path:
    """Write the files and return the page."""
    folder.mkdir(parents=True)
    kept = {"metric": trained.metric, "score": trained.score, "folds": trained.folds}
    (folder / "result.json").write_text(json.dumps(kept | {"params": trained.params}) + "\n")
    label = metric_label(trained.metric)
    drawn = pictures(trained.curves, trained.name, label, of="this configuration")
    for name, data in drawn.items():
        (folder / name).write_bytes(data)
    (folder / "curves.csv").write_text(_csv(trained), encoding="utf-8")
    kind, sentence = said(trained, folder)
    images = "".join(
        f'<img alt="{name}" src="data:image/png;base64,{base64.b64encode(data).decode()}">'
        for name, data in drawn.items()
    )
    family = str(trained.params["family"])
    page = PAGE.format(
        title=escape(f"{trained.name}: one {model_label(family)}"),
        answer=escape(
            f"Validation {label} {number(trained.score)} at epoch {trained.curves.best_epoch} of "
            f"{trained.epochs}{_over(len(trained.fold_scores))}."
        ),
        kind=escape(kind.capitalize() + "."),
        fit=escape(sentence),
        images=images,
        rows="".join(
            f"<tr><td>{escape(str(key))}</td><td>{escape(str(value))}</td></tr>"
            for key, value in trained.params.items()
        ),
    )
    (folder / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def _csv(trained: Trained) -> str:
    """Means over the folds, a row an epoch."""
    curves = trained.curves
    columns = {"train_loss": curves.train_loss, "valid_loss": curves.valid_loss}
    if curves.train_accuracy is not None and curves.valid_accuracy is not None:
        columns |= {
            "train_accuracy": curves.train_accuracy,
            "valid_accuracy": curves.valid_accuracy,
        }
    columns["score"] = curves.valid_score
    means = {name: fold_mean(values) for name, values in columns.items()}
    lines = ["epoch," + ",".join(means)]
    lines += [
        ",".join([str(epoch + 1), *(f"{mean[epoch]:.6g}" for mean in means.values())])
        for epoch in range(trained.epochs)
    ]
    return "\n".join(lines) + "\n"


def _over(folds: int) -> str:
    return f", mean over {folds} folds" if folds > 1 else ""
