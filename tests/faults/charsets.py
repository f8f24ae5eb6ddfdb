"""Text in every charset with bytes in it that are none of it."""

from collections.abc import Iterator

from nacrith.transforms.charset_letters import LANGUAGES, LETTERS
from nacrith.transforms.charset_table import CODECS
from nacrith.transforms.transforms_made import CHARSETS
from tests.faults.lab import Fault, Lab, must


def stray_bytes(lab: Lab, times: int) -> Iterator[str]:
    lab.clear()
    originals = {}
    for i in range(times):
        # All but UTF-8; the words are of no language.
        charset = CHARSETS[1 + i % (len(CHARSETS) - 1)]
        letters = LETTERS[LANGUAGES.get(charset, ("ru",))[0]]
        words = ("".join(lab.random.choices(letters, k=5)) for _ in range(200))
        text = bytearray(" ".join(words).encode(CODECS.get(charset, charset), "ignore"))
        for _ in range(lab.random.randrange(9)):
            place = lab.random.randrange(len(text))
            text[place:place] = lab.random.randbytes(lab.random.choice((1, 1, 2, 4)))
        originals[f"{i}.{charset}"] = bytes(text)
        lab.put(f"{i}.{charset}", bytes(text))
    code, _, error = lab.run("compress", "--workers", 1, "--rm", *originals)
    must(code == 0, error)
    code, _, error = lab.run("decompress", "--workers", 1, *(f"{name}.nc" for name in originals))
    must(code == 0, error)
    for name, original in originals.items():
        must((lab.folder / name).read_bytes() == original, f"{name} has other bytes")
        yield "restored"


FAULTS = [
    Fault(
        "text in every charset with up to 8 stray bytes or runs of them",
        "The file is restored.",
        60,
        stray_bytes,
    ),
]
