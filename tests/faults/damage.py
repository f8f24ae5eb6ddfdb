"""Files that came to harm: flipped bits, cut ends, garbage behind."""

from collections.abc import Callable, Iterator

from tests.faults.lab import Fault, Lab, must

Damage = Callable[[Lab], bytes]


def flipped(lab: Lab) -> bytes:
    spoiled = bytearray(lab.packed)
    spoiled[lab.random.randrange(len(spoiled))] ^= 1 << lab.random.randrange(8)
    return bytes(spoiled)


def truncated(lab: Lab) -> bytes:
    return lab.packed[: lab.random.randrange(len(lab.packed))]


def with_garbage(lab: Lab) -> bytes:
    garbage = lab.random.randbytes(lab.random.randrange(1, 100))
    return lab.packed + (garbage if lab.random.random() < 0.5 else bytes(len(garbage)))


def trials(damage: Damage) -> Callable[[Lab, int], Iterator[str]]:
    """Try `decompress`, `test --quick` and a pipe on damaged files."""

    def run(lab: Lab, times: int) -> Iterator[str]:
        lab.clear()
        names = [f"{i}.nc" for i in range(times)]
        for name in names:
            lab.put(name, damage(lab))
        for command in (["decompress"], ["test", "--quick"]):
            code, _, error = lab.run(*command, *names)
            must(code == 1, f"exit code {code}")
            must(f"0 files done, {times} failed" in error, error[-100:])
            for name in names:
                must(f"nacrith: {name}: " in error, f"no message for {name}")
            must(lab.names() == set(names), f"written: {lab.names() - set(names)}")
        # A pipe can't be checked before it is decoded: what comes out must be right.
        spoiled = (lab.folder / names[0]).read_bytes()
        code, output, error = lab.run("decompress", "-c", input=spoiled)
        must(code == 1, f"exit code {code}: {error}")
        must(lab.data.startswith(output), "wrong bytes were written")
        yield from ["refused"] * times

    return run


_MUST = "Exit code 1, a message for each file, nothing written."

FAULTS = [
    Fault("a bit flipped at a random place", _MUST, 200, trials(flipped)),
    Fault("truncated at a random place", _MUST, 100, trials(truncated)),
    Fault("garbage behind the end", _MUST, 20, trials(with_garbage)),
]
