"""Errors a user can do something about. Each prints as one line and exits 1."""


class NacrithError(Exception):
    """Base of all errors of this package; the message says what to do.

    Attributes:
        index: which of many messages it is of, from 0; None if there is but one.
    """

    index: int | None = None


class ArgumentError(NacrithError, ValueError):
    """An argument that makes no sense, whatever the data."""


class FormatError(NacrithError):
    """The input is not a NC06 file, or is damaged or truncated."""


class UnsupportedError(NacrithError):
    """The file is sound but needs a newer version or another program."""


class ModelMismatchError(NacrithError):
    """The model or machine at hand would not give the logits the file needs."""


class ModelNotFoundError(NacrithError):
    """No usable model."""


class DictionaryError(NacrithError):
    """A dictionary is needed and not given, or is another one, or can't be used."""


class CheckpointError(NacrithError):
    """A checkpoint that can't be turned into a GGUF."""


class FileError(NacrithError):
    """A file that can't be read, or a target that must not be written."""


class ChangedError(FileError):
    """The input was written to while it was read."""


class ResumeError(NacrithError):
    """An interrupted run that can't be gone on with."""


class EnvironmentVariableError(NacrithError):
    """An environment variable whose value can't be used."""


class MemoryLimitError(NacrithError):
    """What is to be done does not fit the limit of memory that the user gave."""


class WorkerError(NacrithError):
    """Workers that can't be started or that fail again and again."""


class DeviceError(NacrithError):
    """A GPU that is not there, can't be used, or has failed."""
