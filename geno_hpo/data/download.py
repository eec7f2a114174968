"""Bring one pinned file over HTTP: goes on where it broke, and checks it before it counts.

What has arrived lies beside the file as ``NAME.part``. A connection that breaks is taken up again
there, in this run or a later one, where the server knows ranges; where it does not, from the
beginning. Only a whole file with the right SHA-256 gets its name.
"""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    import requests

__all__ = ["download", "sha256_of"]

ATTEMPTS = 3
"""Connections in a row that bring nothing before a download is given up."""
PAUSE_SECONDS = 0.5
TIMEOUT_SECONDS = 60
_CHUNK = 1 << 16
_PARTIAL = 206
_NO_SUCH_RANGE = 416


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def download(url: str, place: Path, *, size: int, sha256: str) -> None:
    """Download to `place`; another process that wants the same file waits and finds it.

    Parameters
    ----------
    url
        Where it is; its content never changes.
    place
        Where it goes.
    size, sha256
        What it must be.

    Raises
    ------
    OSError
        It cannot be had: the network's reason, or an answer such as 404.
    ValueError
        What came is another file.
    """
    part = place.with_name(f"{place.name}.part")
    with FileLock(place.with_name(f".{place.name}.lock")):
        if place.is_file() and sha256_of(place) == sha256:
            return
        _bring(url, part, size)
        found = sha256_of(part)
        if found != sha256:
            part.unlink()
            raise ValueError(f"its SHA-256 hash should be {sha256}, got {found}")
        part.replace(place)


def _bring(url: str, part: Path, size: int) -> None:
    """Fill `part` up to `size` bytes, over as many connections as bring something."""
    import requests

    broken = (
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ConnectionError,
        requests.exceptions.Timeout,
    )
    failed = 0
    while (held := _held(part)) < size:
        try:
            with _asked(url, held) as answer:
                _write(answer, part)
        except broken:
            failed = 0 if _held(part) > held else failed + 1
            if failed == ATTEMPTS:
                raise
            time.sleep(PAUSE_SECONDS * max(failed, 1))
        else:
            if _held(part) < size:  # the server says that this is all
                return


def _asked(url: str, held: int) -> requests.Response:
    import requests

    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={held}-"} if held else {})
    answer = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)
    if answer.status_code == _NO_SUCH_RANGE:
        answer.close()
        return _asked(url, 0)
    answer.raise_for_status()
    return answer


def _write(answer: requests.Response, part: Path) -> None:
    """Append where the server went on, else begin anew."""
    with part.open("ab" if answer.status_code == _PARTIAL else "wb") as stream:
        for chunk in answer.iter_content(_CHUNK):
            stream.write(chunk)


def _held(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0
