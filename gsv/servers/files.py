"""Which files a request may name, and that they are recordings."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gsv.audio.io import opened
from gsv.errors import AudioError, InputError
from gsv.paths import Project


@dataclass(frozen=True)
class Files:
    """The path rule.

    A server for this machine alone (`wide` is false) reads what its user can read. One that other machines can reach
    works in the project folder, the temporary folder and `allowed`; what does not look to lie in them is refused before
    the file system is asked for anything, and what a link leads out of them, before it is opened.
    """

    project: Project
    wide: bool = False
    allowed: tuple[Path, ...] = ()
    longest_seconds: float = 120.0

    @property
    def roots(self) -> tuple[Path, ...]:
        folders = (self.project.root, Path(tempfile.gettempdir()), *self.allowed)
        return tuple(dict.fromkeys(folder for one in folders for folder in (one.absolute(), one.resolve())))

    def path(self, text: str, field: str, writing: bool = False) -> Path:
        """The file or folder that the field of a request means, links resolved; it need not be there.

        Raises InputError, which names the field and the rule. For `writing` the rule is the same, the words are others.
        """
        try:
            if not self.wide:
                return self.project.resolve(text).resolve()
            # Only the words of the path: `resolve` would look where its links lead.
            places = [Path(os.path.abspath(place)) for place in self.project.places(text)]  # noqa: PTH100
            inside = [place for place in places if self._allows(place)]
            found = next((place for place in inside if place.exists()), inside[-1] if inside else None)
            if found is not None and self._allows(found.resolve()):
                return found.resolve()
        except InputError as error:
            raise InputError(f"{field}: {error}") from None
        except (OSError, ValueError, RuntimeError):
            raise InputError(f"{field} cannot be a path; name a file or folder.") from None
        raise InputError(
            f"{field} names a path outside the folders that this server {'writes' if writing else 'reads'} in; it is "
            "open to other machines, so these are its project folder, the temporary folder, and those named with "
            "--allow."
        )

    def _allows(self, path: Path) -> bool:
        return any(path.is_relative_to(root) for root in self.roots)

    def recording(self, text: str, field: str) -> Path:
        """A sound file of bearable length; it is decoded to find that out, so call this off the event loop.

        Raises InputError if the path rule refuses it, and AudioError if it is none. Neither tells what is in it.
        """
        path = self.path(text, field)
        try:
            self.check_recording(path)
        except AudioError as error:
            raise AudioError(f"{field}: {error}") from None
        except OSError as error:
            raise AudioError(f"{field}: {path} cannot be read ({error.strerror}).") from None
        return path

    def check_recording(self, path: Path) -> None:
        """Raises AudioError unless the file is sound and no longer than may be; a longer one is not read to its end."""
        seconds = 0.0
        with opened(path) as sound:
            for block in sound.blocks:
                seconds += len(block) / sound.rate
                if seconds > self.longest_seconds:
                    raise AudioError(
                        f"{path} lasts longer than {self.longest_seconds:g} s; give 3 to 10 s of the voice."
                    )
