"""A recording in a request: base64, an address on the network, or a path on this machine."""

import base64
import binascii
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gsv.errors import AudioError, InputError
from gsv.servers.fetching import Fetcher, FetchError
from gsv.servers.files import Files

_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+={0,2}\s*")
_DATA_URL = re.compile(r"data:[^,]{0,200};base64,", re.IGNORECASE)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
# No second of sound is so short; and paths may be spelled with the letters of base64 alone.
_SHORTEST_BASE64 = 400


@dataclass(frozen=True)
class Taker:
    """What may be taken, and how."""

    files: Files
    fetcher: Fetcher

    @contextmanager
    def taken(self, text: str, field: str) -> Iterator[Path]:
        """The recording as a file, until the block ends. It may be fetched and is decoded: not for the event loop.

        Raises InputError, which names the field, for what is no recording or may not be taken.
        """
        given = text.strip()
        data = _decoded(given)
        if data is None and not _SCHEME.match(given):
            yield self.files.recording(text, field)
            return
        with tempfile.TemporaryDirectory(prefix="gsv-") as folder:
            # What is said of the file is said of the field.
            path = Path(folder) / field
            try:
                if data is not None:
                    path.write_bytes(data)
                else:
                    with path.open("wb") as file:
                        file.writelines(self.fetcher.fetch(given))
                self.files.check_recording(path)
                yield path
            except FetchError as error:
                raise FetchError(f"{field}: {error}") from error
            except AudioError as error:
                raise AudioError(str(error).replace(str(path), field)) from error


def _decoded(text: str) -> bytes | None:
    """The bytes that base64 stands for; None for what is none. Raises InputError for what nearly is."""
    head = _DATA_URL.match(text)
    body = text[head.end() :] if head else text
    if not head and (len(body) < _SHORTEST_BASE64 or not _BASE64.fullmatch(body)):
        return None
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error:
        raise InputError("prompt_audio is not right base64; it may have been cut off.") from None
