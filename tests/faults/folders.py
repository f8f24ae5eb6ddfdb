"""Folders that a run uses beside those of its files: read-only, full, one or all of them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import nacrith
from tests.faults.disk import NOT_ALLOWED
from tests.faults.lab import Fault, Lab, finish, must

# Each is replaced, in a mount namespace of its own, by a file system of this state.
_STATES = {
    "read-only": 'mount -t tmpfs -o ro none "$F"',
    "full": 'mount -t tmpfs -o size=4k none "$F"; '
    'head -c 8192 /dev/zero 2> /dev/null > "$F/fill" || true',
}

# Variables that name the folder. The kernels' folder is empty, so all are compiled.
_KINDS: dict[str, tuple[str, ...]] = {
    "working folder": (),
    "home": ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"),
    "folder of kernels": ("NUMBA_CACHE_DIR",),
    "temporary folder": ("TMPDIR",),
    "/dev/shm": (),
    "installation": (),
}


def unusable_folders(lab: Lab, times: int) -> Iterator[str]:
    # All at once first, so that a short run has them.
    together = [tuple(_KINDS), *((kind,) for kind in _KINDS)]
    trials = [
        (state, kinds)
        for kinds in together
        for state in _STATES
        # Only of a file system of its own can it be told that it is full.
        if (state, kinds) != ("full", ("installation",))
    ]
    for state, kinds in trials[:times]:
        if subprocess.run(["unshare", "-m", "true"], check=False).returncode:
            yield NOT_ALLOWED.replace("mount", "make a mount namespace")
            continue
        lab.clear()
        data = lab.random.randbytes(200) + bytes(range(256)) * 8
        path, packed, restored = lab.put("a", data), lab.folder / "a.nc", lab.folder / "b"
        # Compiling in one process is enough to wait for.
        workers = 1 if "folder of kernels" in kinds else 2
        _run(lab, state, kinds, "compress", "--workers", workers, "-o", packed, path)
        _run(lab, state, kinds, "decompress", "--workers", workers, "-o", restored, packed)
        must(restored.read_bytes() == data, "another file was restored")
        yield f"{'all' if len(kinds) > 1 else kinds[0]} {state}: done"


def _run(lab: Lab, state: str, kinds: tuple[str, ...], *arguments: object) -> None:
    environment = dict(lab.environment)
    working = lab.folder
    script = ["set -e"]
    for number, kind in enumerate(kinds):
        folder = lab.folder.parent / f"folder-{number}"
        folder.mkdir(exist_ok=True)
        if kind == "installation":
            root = Path(nacrith.__file__).parent.parent
            script.append(f"mount --bind {root} {root}; mount -o remount,bind,ro {root}")
            continue
        if kind == "/dev/shm":
            folder = Path("/dev/shm")
        if kind == "working folder":
            working = folder
        environment.update(dict.fromkeys(_KINDS[kind], str(folder)))
        script.append(f"F={folder}; {_STATES[state]}")
    script.append(f'cd {working}; exec "$@"')
    command = ["unshare", "-m", "sh", "-c", "\n".join(script), "sh"]
    name, *rest = map(str, arguments)
    process = subprocess.Popen(
        [*command, *lab.command(name, *rest)],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    code, _, error = finish(process)
    must(code == 0, f"{name}, {kinds} {state}: exit code {code}: {error}")
    if "folder of kernels" in kinds:
        must("NUMBA_CACHE_DIR" in error and error.count("\n") == 1, f"message: {error!r}")


FAULTS = [
    Fault(
        "working folder, home, folder of kernels, TMPDIR, /dev/shm, installation: "
        "read-only or full",
        "The run does its work with them as without; if compiled kernels can't be kept, one line "
        "says so and names the variable for another folder.",
        13,
        unusable_folders,
    ),
]
