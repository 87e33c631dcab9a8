"""Compressed files, read as what is in them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from opsverify.errors import ProbeError

_OPENERS: dict[str, Callable[..., Any]] = {"gzip": gzip.open, "xz": lzma.open, "bzip2": bz2.open}


class Damaged(Exception):
    """It does not decompress to its end; the message says why."""


@contextmanager
def content(file: Path, kind: str | None) -> Iterator[IO[bytes]]:
    """What is in a file of that kind, as `host.Dump.format` calls it; a kind that is not compressed: the file itself.

    Raises Damaged, also out of the reads inside, and ProbeError for a kind that cannot be unpacked here.
    """
    if kind == "zstd":
        raise ProbeError(f"{file.name} is compressed with zstd, which the drill cannot unpack")
    try:
        with _OPENERS.get(kind or "", open)(file, "rb") as source:
            yield source
    except (EOFError, lzma.LZMAError, zlib.error) as error:
        raise Damaged(f"it does not decompress: {error}") from None
    except OSError as error:
        if error.errno is not None:  # the disk's fault, not the file's
            raise
        raise Damaged(f"it does not decompress: {error}") from None
