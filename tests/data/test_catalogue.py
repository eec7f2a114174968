from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from geno_hpo.data import catalogue, download
from geno_hpo.data.catalogue import CatalogueFile, entries, entry, fetch
from geno_hpo.errors import DownloadError, InputError

CONTENT = b"twenty-six bytes of labels"
FILE = CatalogueFile(
    "labels.csv", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "owner/repo@abc:a b/labels.csv"
)
DERIVED = CatalogueFile("made.bam", len(CONTENT), FILE.sha256, "")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one data set, `toy`; a mirror and a cache, both empty."""
    real = entry("tb_wdnn")
    toys = (
        catalogue.Entry(**{**vars(real), "name": "toy", "files": (FILE,)}),
        catalogue.Entry(**{**vars(real), "name": "made", "files": (FILE, DERIVED)}),
    )
    monkeypatch.setattr(catalogue, "entries", lambda: toys)
    (tmp_path / "mirror" / "toy").mkdir(parents=True)
    monkeypatch.setenv(catalogue.MIRROR, str(tmp_path / "mirror"))
    monkeypatch.setenv(catalogue.CACHE, str(tmp_path / "cache"))
    return tmp_path


def write(file: CatalogueFile, place: Path) -> None:
    place.write_bytes(CONTENT)


def no_network(file: CatalogueFile, place: Path) -> None:
    raise OSError("Name or service not known")


def never(file: CatalogueFile, place: Path) -> None:
    raise AssertionError("nothing should be downloaded")


def test_the_table_is_whole() -> None:
    names = [each.name for each in entries()]
    assert len(set(names)) == len(names) == 17
    assert names[0] == "katg_simulated"
    for each in entries():
        assert each.title
        assert each.licence
        assert each.citation
        assert set(each.needs) <= set(names)
        for file in each.files:
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert file.bytes > 0
            assert re.fullmatch(r"([\w-]+/[\w.-]+@[0-9a-f]{40}:[\w./-]+)?", file.upstream)
    assert {each.name for each in entries() if each.simulated} == {
        *("katg_simulated", "drugs_simulated", "motif_simulated", "chromatin_simulated"),
        *("trait_simulated", "ancestry_simulated", "primer", "chromatin_sim4"),
    }
    derived = [file.name for each in entries() for file in each.files if not file.upstream]
    assert derived == ["H37Rv.fa", "tbprofiler_test.bam", "tbprofiler_test.bam.bai"]


def test_urls_are_quoted_raw_files_of_a_commit() -> None:
    assert FILE.url == "https://raw.githubusercontent.com/owner/repo/abc/a%20b/labels.csv"
    assert DERIVED.url == ""


def test_unknown_names_list_the_nearest_first() -> None:
    with pytest.raises(InputError, match=r"no data set 'tb_wdn'; it has: tb_wdnn, .*wheat599"):
        entry("tb_wdn")


def test_the_mirror_comes_first(places: Path) -> None:
    (places / "mirror" / "toy" / "labels.csv").write_bytes(CONTENT)
    assert fetch("toy", download=never) == places / "mirror" / "toy"


def test_a_download_is_kept(places: Path) -> None:
    folder = fetch("toy", download=write)
    assert folder == places / "cache" / "toy"
    assert fetch("toy", download=never) == folder
    assert (folder / "labels.csv").read_bytes() == CONTENT


def test_a_damaged_cache_is_fetched_again(places: Path) -> None:
    folder = fetch("toy", download=write)
    (folder / "labels.csv").write_bytes(b"half")
    fetch("toy", download=write)
    assert (folder / "labels.csv").read_bytes() == CONTENT


def test_a_part_of_the_files(places: Path) -> None:
    assert fetch("made", only=("labels.csv",), download=write) == places / "cache" / "made"


def test_a_mirror_with_a_part_is_completed(places: Path) -> None:
    (places / "mirror" / "made").mkdir()
    (places / "mirror" / "made" / "made.bam").write_bytes(CONTENT)
    folder = fetch("made", download=write)
    assert sorted(path.name for path in folder.iterdir()) == ["labels.csv", "made.bam"]


def test_a_mirror_with_another_file_is_refused(places: Path) -> None:
    (places / "mirror" / "toy" / "labels.csv").write_bytes(b"something else")
    with pytest.raises(DownloadError, match=r"labels.csv is not the file .* SHA-256 should be"):
        fetch("toy", download=never)


def test_no_network_says_what_from_where_and_what_else(places: Path) -> None:
    with pytest.raises(
        DownloadError,
        match=r"labels.csv of data set 'toy' .* https://raw\.githubusercontent\.com/owner/repo/abc/"
        r".*Name or service not known.*GENO_HPO_DATA_MIRROR may name a folder .* toy/labels.csv",
    ):
        fetch("toy", download=no_network)


def test_a_derived_file_is_in_a_mirror_only(places: Path) -> None:
    with pytest.raises(DownloadError, match=r"made.bam of data set 'made' is derived"):
        fetch("made", download=write)


def test_a_mirror_that_is_no_folder(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalogue.MIRROR, str(places / "nowhere"))
    with pytest.raises(DownloadError, match=r"GENO_HPO_DATA_MIRROR names .*nowhere, .* no folder"):
        fetch("toy", download=never)


def test_a_cache_that_cannot_be_made(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (places / "file").write_text("in the way")
    monkeypatch.setenv(catalogue.CACHE, str(places / "file"))
    with pytest.raises(DownloadError, match=r"cache folder .* cannot be written .*GENO_HPO_CACHE"):
        fetch("toy", download=write)


def test_no_network_is_tried_some_times(places: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import requests

    tried = []

    def refuse(*args: object, **kwargs: object) -> None:
        tried.append(args)
        raise requests.ConnectionError("no route to host")

    monkeypatch.setattr(requests, "get", refuse)
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    with pytest.raises(DownloadError, match=r"could not be downloaded .*no route to host"):
        fetch("toy")
    assert len(tried) == download.ATTEMPTS


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def serving(handler: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Serve over HTTP, and download every catalogue file from there."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:  # type: ignore[arg-type]
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        base = f"http://127.0.0.1:{http.server_port}"
        monkeypatch.setattr(CatalogueFile, "url", property(lambda file: f"{base}/{file.name}"))
        yield
        http.shutdown()
        thread.join()


@pytest.fixture
def server(places: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder served over HTTP, from which every catalogue file is downloaded."""
    folder = places / "served"
    folder.mkdir()
    with serving(partial(Quiet, directory=str(folder)), monkeypatch):
        yield folder


def visible(folder: Path) -> list[str]:
    """Files that are no locks."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


def test_a_download_is_checked_and_its_terms_are_told(
    places: Path, server: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (server / "labels.csv").write_bytes(CONTENT)
    folder = fetch("toy")
    assert (folder / "labels.csv").read_bytes() == CONTENT
    assert visible(folder) == ["labels.csv"]
    told = capsys.readouterr().err
    toy = entry("toy")
    assert f"Licence: {toy.licence}. Please cite: {toy.citation}" in told
    fetch("toy")
    assert capsys.readouterr().err == "", "what is there already is not downloaded"


class Breaking(Quiet):
    """Hangs up after ten bytes, the first two times it is asked."""

    ranges: ClassVar[bool] = True
    asked: ClassVar[list[int]] = []

    def do_GET(self) -> None:
        begin = int(self.headers.get("Range", "bytes=0-")[6:-1])
        self.asked.append(begin)
        start = begin if self.ranges else 0
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(CONTENT) - start))
        self.end_headers()
        self.wfile.write(CONTENT[start : start + 10 if len(self.asked) < 3 else None])


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_breaks_goes_on(
    places: Path, monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    monkeypatch.setattr(download, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(download, "_CHUNK", 5)
    monkeypatch.setattr(Breaking, "asked", [])
    monkeypatch.setattr(Breaking, "ranges", ranges)
    with serving(Breaking, monkeypatch):
        found = fetch("toy")
    assert Breaking.asked == ([0, 10, 20] if ranges else [0, 10, 10])
    assert visible(found) == ["labels.csv"]
    assert (found / "labels.csv").read_bytes() == CONTENT


def test_a_later_run_takes_up_what_is_left(places: Path, server: Path) -> None:
    """Python's own server knows no ranges, so it sends all."""
    (server / "labels.csv").write_bytes(CONTENT)
    (places / "cache" / "toy").mkdir(parents=True)
    (places / "cache" / "toy" / "labels.csv.part").write_bytes(CONTENT[:6])
    assert (fetch("toy") / "labels.csv").read_bytes() == CONTENT


def test_what_is_left_of_another_file_goes(places: Path, server: Path) -> None:
    (server / "labels.csv").write_bytes(CONTENT)
    (places / "cache" / "toy").mkdir(parents=True)
    (places / "cache" / "toy" / "labels.csv.part").write_bytes(b"t" * 30)
    with pytest.raises(DownloadError, match="SHA-256"):
        fetch("toy")
    assert (fetch("toy") / "labels.csv").read_bytes() == CONTENT


def test_another_file_is_refused(places: Path, server: Path) -> None:
    (server / "labels.csv").write_bytes(b"changed upstream")
    with pytest.raises(DownloadError, match=r"could not be downloaded .*(?i:hash)"):
        fetch("toy")
    assert not (places / "cache" / "toy" / "labels.csv").exists()


def test_a_file_that_is_gone_upstream(places: Path, server: Path) -> None:
    with pytest.raises(DownloadError, match=r"could not be downloaded .*404"):
        fetch("toy")


def test_embedded_data_has_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalogue.CACHE, str(tmp_path))
    assert entry("katg_simulated").files == ()
    assert fetch("katg_simulated", download=never).name == "katg_simulated"
