"""Objects that own a thread, a model or a file in the making."""

from typing import NoReturn


class NotCopied:
    """Refuses `copy` and `pickle`: two objects would share what the first to go gives up."""

    def __reduce__(self) -> NoReturn:
        """Raises TypeError, as do the objects of zlib and lzma."""
        raise TypeError(f"a {type(self).__name__} can't be copied or pickled; make another one")
