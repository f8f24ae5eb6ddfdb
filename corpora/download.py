"""Downloads that go on where they were cut."""

import http.client
import urllib.error
import urllib.request
from pathlib import Path

_BLOCK = 1 << 20
"""Bytes that are read at once."""

_TRIES = 5

# Status codes of HTTP (RFC 9110).
_RANGE_NOT_SATISFIABLE = 416
_PARTIAL = 206


class DownloadError(Exception):
    """What could not be downloaded, and why."""


def download(address: str, target: Path) -> None:
    """Download into `target`, which appears when it is whole.

    What has come stays in `target`.part, and the next call asks only for the rest
    (HTTP Range). A connection that breaks is opened again a few times.

    Raises:
        DownloadError: no answer, an error of the server, or too many breaks.
    """
    part = target.with_name(target.name + ".part")
    for _ in range(_TRIES):
        try:
            if _continue(address, part):
                part.replace(target)
                return
        except urllib.error.HTTPError as error:
            raise DownloadError(f"can't fetch {address}: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            if not part.exists():
                raise DownloadError(f"can't fetch {address}: {error}") from error
    size = part.stat().st_size if part.exists() else 0
    raise DownloadError(
        f"can't fetch {address}: the connection broke {_TRIES} times, after {size} bytes in all; "
        "try again, it goes on from there"
    )


def _continue(address: str, part: Path) -> bool:
    """Ask for what is missing; is it whole now?"""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE and have:
            # Nothing is left to send, or the file has changed: the checksum tells.
            return True
        raise
    with response:
        if response.status != _PARTIAL:
            have = 0
        length = response.headers.get("Content-Length")
        with open(part, "ab" if have else "wb") as file:
            while block := response.read(_BLOCK):
                file.write(block)
        return length is None or part.stat().st_size == have + int(length)
