"""The permissions that new files do not get.

`os.umask` tells them only by changing them, for all threads: a file that another thread made
meanwhile would be open to everybody.
"""

import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

_STATUS = Path("/proc/self/status")
_LINE = re.compile(r"^Umask:\s*([0-7]+)$", re.MULTILINE)
_ALL = 0o666


def current_umask() -> int:
    """The process's umask, as far as it is of reading and writing; changes nothing."""
    with suppress(OSError, UnicodeDecodeError):
        # Linux, since 4.7.
        if found := _LINE.search(_STATUS.read_text("ascii")):
            return int(found[1], 8) & _ALL
    return umask_by_trial()


def umask_by_trial() -> int:
    """What a new file lacks of all permissions."""
    with tempfile.TemporaryDirectory() as folder:
        descriptor = os.open(Path(folder, "new"), os.O_CREAT | os.O_EXCL | os.O_WRONLY, _ALL)
        try:
            return _ALL & ~stat.S_IMODE(os.fstat(descriptor).st_mode)
        finally:
            os.close(descriptor)
