"""Every error gsv raises on purpose. Each message is one plain sentence: what is wrong, and what would be right.

The command line prints the message alone and exits with status 1; anything that is not a `GsvError` is a bug.
"""


class GsvError(Exception):
    """Base of all errors a caller may want to catch."""


class InputError(GsvError):
    """An argument, path or file of the user's cannot be used as given."""


class AudioError(InputError):
    """A sound file is missing, corrupt, or too short for what was asked."""


class ListError(InputError):
    """A `.list` file is missing, empty, or has a line that cannot be read."""


class TextError(InputError):
    """The text holds nothing that can be spoken, or is in a language that the model does not know."""


class CheckpointError(GsvError):
    """A weight file is not what it should be: wrong kind, wrong version, or damaged."""


class UnsafeCheckpointError(CheckpointError):
    """A weight file holds pickled objects other than tensors and settings; it was not loaded and nothing in it ran."""


class MissingWeightsError(GsvError):
    """A weight file is not there; the message names the file, its folder and the command that gets it."""


class MissingLibraryError(GsvError):
    """An optional library is not installed; the message holds the install line."""


class TrainingError(GsvError):
    """Training cannot start or go on."""


class SynthesisError(GsvError):
    """Speech could not be made from valid input."""


def sentence(error: Exception) -> str | None:
    """What to tell the user about an error; None for one that is a bug."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used: {error.strerror}."
    if isinstance(error, (GsvError, OSError)):
        return str(error)
    # By its name, because torch need not be loaded.
    if type(error).__name__ in {"OutOfMemoryError", "MemoryError"}:
        return "The memory is not enough for this; try smaller batches, shorter pieces of text, or --device cpu."
    return None
