"""What all pages share: the project, the words, the jobs, and which files they may touch."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from gsv.errors import InputError
from gsv.jobs.registry import Jobs
from gsv.paths import Project
from gsv.webui.words import Words


@dataclass(frozen=True)
class Home:
    """`public` says that other machines can reach the pages; files are then only touched under allowed folders."""

    project: Project
    words: Words
    jobs: Jobs
    public: bool = False
    allowed: tuple[Path, ...] = ()

    @property
    def roots(self) -> tuple[Path, ...]:
        """Folders whose files the pages may show, and the only ones that a public page touches at all."""
        folders = (self.project.root, Path(tempfile.gettempdir()), *self.allowed)
        return tuple(folder.resolve() for folder in folders)

    def path(self, text: str, argument: str) -> Path:
        """The file or folder that the argument means, whether it is there or not.

        Raises InputError, which names the argument, if it is empty, or not one that a public page touches; nobody has
        asked the file system for it by then, other than where its links lead.
        """
        try:
            path = self.project.resolve(text).absolute()
            inside = not self.public or any(path.resolve().is_relative_to(root) for root in self.roots)
        except InputError as error:
            raise InputError(f"{argument}: {error}") from None
        except (OSError, ValueError, RuntimeError) as error:
            raise InputError(f"{argument}: {text!r} cannot be a path ({error}).") from None
        if not inside:
            raise InputError(
                f"{argument}: {path} is outside the folders that this server may use; it is open to other machines, so "
                "it works in its project folder, the temporary folder, and those that were named with --allow."
            )
        return path

    def existing(self, text: str, argument: str) -> Path:
        """Like `path`, of something that must be there."""
        path = self.path(text, argument)
        if not path.exists():
            raise InputError(f"{argument}: there is no file or folder {path}; name one that exists.")
        return path

    def output(self, text: str, argument: str) -> Path:
        """A folder to write to, there or not; InputError if something else is in its place."""
        folder = self.path(text, argument)
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{argument}: {folder} is a file; name a folder to write to.")
        return folder
