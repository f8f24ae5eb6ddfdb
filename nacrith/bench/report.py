"""docs/benchmarks.md: every measurement of this project, by one command."""

import platform
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from nacrith import __version__
from nacrith.bench.corpus import bpb, measure_alone, run_corpus
from nacrith.bench.exact import WINDOW, measure_ceiling, measure_decoding, measure_loss
from nacrith.bench.groups import BINARY, GROUPS, TEXTS, group_of
from nacrith.bench.levels import level_texts, levels_section, measure_levels
from nacrith.bench.loading import loading_section
from nacrith.bench.markdown import put_head, put_section, table
from nacrith.bench.speed import measure_speed
from nacrith.bench.store import cached
from nacrith.bench.streams import SIZES, measure_streams, streams_section, texts_to_cut
from nacrith.bench.texts import alice, canterbury, unseen
from nacrith.format.container import VERSION
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from nacrith.models.corrections import shipped, short_name

Section = Callable[[bool], str]
Tell = Callable[[str], None]

COMPARED = Path("docs/canterbury")
"""Where `make bench-canterbury` writes."""

# Longer texts are only compressed, which takes a part of the time.
_LARGE = 130_000  # bytes
_RESTORED = ("alice29.txt", "kennedy.xls", "ptt5")

# Bytes of header, frame and trailer around one payload.
_CONTAINER = 30


def write_report(
    quick: bool, output: Path | None, names: Sequence[str] = (), tell: Tell = lambda what: None
) -> None:
    """Measure what is not stored yet, and print sections or put each into its place in `output`.

    Args:
        names: of `SECTIONS`; empty = all, and what is in front of the first one.
        tell: called with the name of each before it is measured.

    Raises:
        NacrithError: the time of `store.end_after` is over; the sections before are there.
    """
    if not names:
        head = _head()
        if output:
            put_head(output, head)
        else:
            print(head)
    for name in names or SECTIONS:
        tell(name)
        section = SECTIONS[name](quick)
        if output:
            put_section(output, section)
        else:
            print(section)


def _head() -> str:
    import llama_cpp

    from predictors.language_models.numerics import available_threads

    model, correction = default_model(), next(shipped())
    return (
        "# Benchmarks\n\n"
        f"Made by `make bench`, version {__version__}, format {VERSION - 0x80}. Sizes count every "
        "byte of the file,\nheader and checksums included, but not the model, which both "
        "directions need; bpb is bits per\nbyte of the original. Speeds are of one machine on one "
        "day: the "
        "ratios, measured in one run, are\nwhat to look at.\n\n"
        f"Machine: {_processor()}, {available_threads()} CPUs. "
        f"Python {platform.python_version()}, llama-cpp-python {llama_cpp.__version__}, "
        f"model {model.name} ({model.path.stat().st_size / 1e6:.0f} MB), correction "
        f"{short_name(correction)} ({correction.size / 1e6:.1f} MB).\n"
    )


def _others(quick: bool) -> str:
    """What `make bench-canterbury` has written, with its plots."""
    try:
        text = (COMPARED / "compare.md").read_text("utf-8")
    except FileNotFoundError:
        text = "`make bench-canterbury` was not run yet.\n"
    text = re.sub(r"\]\(([\w-]+\.svg)\)", rf"]({COMPARED.name}/\1)", text)
    return "## Beside other compressors\n\n" + text


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _one_stream(quick: bool) -> str:
    group = {name: group_of(name, data) for name, data in (canterbury() | unseen()).items()}
    results = _results(quick)
    text = (
        "## Bits: one stream\n\n"
        "The default settings but for a single stream. *Model alone*: an ideal coder on the\n"
        "model's softmax, on the text as it is, with the same window and the same container.\n"
        f"Files up to {_LARGE} bytes and {', '.join(_RESTORED)}\n"
        "were restored and found equal; the others were only compressed.\n"
    )
    for name in GROUPS:
        # Prefixes of enwik8 are in no corpus of files.
        mine = [r for r in results if group.get(r["file"], TEXTS) == name]
        alone = "" if name == BINARY else " | model alone | against it"
        head = f"{name} | bytes | compressed | gzip -9 bpb | bzip2 -9 | xz -9e | nacrith{alone}"
        if mine:
            text += "\n" + table(head, [_ratio_row(r, with_model=bool(alone)) for r in mine])
    return text


def _sharing(quick: bool) -> str:
    n = 20_000 if quick else 1_000_000
    one, eight = (
        run_corpus("enwik8", n, streams=streams, both_ways=False)[0] for streams in (1, 8)
    )
    more = 100 * (eight["nacrith"] / one["nacrith"] - 1)
    return (
        "## Streams share what is learned\n\n"
        f"The first {n} bytes of enwik8: {one['nacrith']} bytes with one stream, "
        f"{eight['nacrith']} with 8\nthat share what is learned: {more:+.2f} %.\n"
    )


def _levels(quick: bool) -> str:
    if quick:
        return levels_section(measure_levels({"alice29.txt": alice()[:2000]}))
    return levels_section(measure_levels(level_texts()))


def _streams(quick: bool) -> str:
    if quick:
        return streams_section(measure_streams({"alice29.txt": alice()}, [6000]))
    return streams_section(measure_streams(texts_to_cut(max(SIZES))))


def _results(quick: bool) -> list[dict[str, Any]]:
    """Canterbury, the texts never published, and enwik8's begin: one stream, shortest first."""
    sizes = {name: len(data) for name, data in canterbury().items()}
    if quick:
        names = [n for n, size in sizes.items() if size < 5000]
        return run_corpus("canterbury", only=names, streams=1)
    large = [n for n, size in sizes.items() if size > _LARGE and n not in _RESTORED]
    small = [n for n in sizes if n not in large]
    found = run_corpus("unseen", streams=1)
    found += run_corpus("canterbury", only=small, streams=1)
    found += run_corpus("canterbury", only=large, streams=1, both_ways=False)
    for n in (200_000, 1_000_000):
        found += run_corpus("enwik8", n, streams=1, both_ways=False)
    return sorted(found, key=lambda r: r["size"])


def _ratio_row(r: dict[str, Any], with_model: bool) -> list[str]:
    row = [
        r["file"],
        f"{r['size']:,}",
        f"{r['nacrith']:,}",
        *(f"{bpb(r, c):.3f}" for c in ("gzip", "bzip2", "xz")),
        f"**{bpb(r, 'nacrith'):.3f}**",
    ]
    if not with_model:
        return row
    file = r["file"]
    alone = cached(f"alone-{file}", partial(measure_alone, file))["bits"] / 8 + _CONTAINER
    return [*row, f"{8 * alone / r['size']:.3f}", f"{100 * (r['nacrith'] / alone - 1):+.1f} %"]


def _ablation(quick: bool) -> str:
    from nacrith.bench.ablation import LENGTH, row, run_ablation

    results = run_ablation(2000, quick=True) if quick else run_ablation()
    names = list(results[0]["sizes"])
    return (
        "## What each predictor is worth\n\n"
        f"The first {2000 if quick else LENGTH} bytes of each text, from recorded outputs. First\n"
        "line: bytes. Then: by how many per cent the size changes without the predictor, and by\n"
        "how many milliseconds a token the time.\n\n"
        + table(
            " | ".join(["without", *names, "all", "ms a token"]),
            [row(result, results[0], names) for result in results],
        )
    )


def skipping_section(quick: bool) -> str:
    from nacrith.bench.ablation import texts
    from nacrith.bench.skipping import matched_share
    from nacrith.transforms.prepare import prepare
    from predictors.language_models.gguf_vocabulary import load_vocabulary

    vocabulary = load_vocabulary(default_model().path)
    rows = []
    for name, text in texts(2000 if quick else 1_000_000).items():
        symbols = vocabulary.encode(prepare(text).text)
        cells = [f"{100 * x:.1f} %" for n in (16, 32) for x in matched_share(symbols, n)]
        rows.append([name, *cells])
    batch = cached("ceiling", measure_ceiling)["tokens"]
    costs = [(r["streams"], r["exact"][0] / batch) for r in _decoding(quick)[:2]]
    (one, share), (several, share_of_several) = costs
    return (
        "## Would it pay to skip the model where a match is long?\n\n"
        "Share of the tokens that a match of at least 16 or 32 tokens predicts, and how often it\n"
        "is right. A skipped token must still enter the model's cache, in a batch: per token that\n"
        f"takes {100 * share:.0f} % of a step of {one} stream, "
        f"{100 * share_of_several:.0f} % of one of {several}. So the time saved is at most\n"
        f"{max(1 - share, 0):.2f} and {max(1 - share_of_several, 0):.2f} of these shares, while "
        "each wrong prediction costs bits and its step\nas well. It is not built.\n\n"
        + table("text | 16 tokens | right | 32 tokens | right", rows)
    )


def _speed(quick: bool) -> str:
    rows = []
    for streams, n_bytes in ((1, 6_000), (8, 12_000), (32, 16_000), (64, 24_000)):
        if quick:
            streams, n_bytes = min(streams, 2), 400
        for backend in ("llama.cpp", "exact"):
            key = f"speed-{backend}-{streams}-{n_bytes}"
            r = cached(key, partial(measure_speed, backend, streams, n_bytes, 1))
            rows.append(
                [
                    f"{streams}, {backend}",
                    *(f"{r[name]:.0f}" for name in ("bare", "compress", "decompress")),
                    *(f"{r[name + '_ratio']:.2f}" for name in ("compress", "decompress")),
                ]
            )
    return (
        "## Speed of the whole pipeline\n\n"
        "The same tokens of alice29.txt: the backend's bare decode, step by step; then\n"
        "compression and decompression with everything, loading not counted. Tokens/s.\n\n"
        + table(
            "streams, backend | bare decode | compress | decompress | compress / bare "
            "| decompress / bare",
            rows,
        )
    )


def _decoding(quick: bool) -> list[dict[str, Any]]:
    """Of `measure_decoding`, for one stream and more."""
    steps = _steps(quick)
    return [
        cached(f"decoding-{s}-{steps}", partial(measure_decoding, s, steps))
        for s in ((1, 2) if quick else (1, 8, 32, 64))
    ]


def _steps(quick: bool) -> int:
    return 20 if quick else 150


def _exact(quick: bool) -> str:
    windows, steps = 1 if quick else 3, _steps(quick)
    loss = cached(f"loss-{windows}", lambda: measure_loss(windows))
    ceiling = cached("ceiling", measure_ceiling)
    share = 100 * ceiling["encode"] / ceiling["ceiling"] / ceiling["threads"]
    return (
        "## The exact backend\n\n"
        f"Bits a token on {windows} windows of {WINDOW} tokens of each text, with float32 logits\n"
        "(PyTorch, weights dequantized), the exact ones, and llama.cpp's.\n\n"
        + table(
            "text | float32 | exact | llama.cpp | exact / float32 | llama.cpp / float32",
            [
                [
                    text,
                    *(f"{bits[name]:.4f}" for name in ("float32", "exact", "llama.cpp")),
                    *(
                        f"{100 * (bits[name] / bits['float32'] - 1):+.2f} %"
                        for name in ("exact", "llama.cpp")
                    ),
                ]
                for text, bits in loss.items()
            ],
        )
        + f"\nTokens/s of steps alone, window {WINDOW}: median of the first and last tenth of "
        f"{steps} steps.\n\n"
        + table(
            f"streams | llama.cpp | exact | llama.cpp, {steps} deep | exact, {steps} deep",
            [
                [
                    str(r["streams"]),
                    *(f"{r[name][i]:.0f}" for i in (0, 1) for name in ("llama.cpp", "exact")),
                ]
                for r in _decoding(quick)
            ],
        )
        + f"\nThe product kernel alone does {ceiling['ceiling']:.0f}·10⁹ multiply-accumulates of "
        "an 8-bit weight and a\n16-bit value per second on one core. Encoding, 64 tokens at once, "
        f"does {ceiling['encode']:.0f}·10⁹ on\n{ceiling['threads']} cores "
        f"({ceiling['tokens']:.0f} tokens/s): {share:.0f} % of the ceiling.\n"
    )


def _coding(quick: bool) -> str:
    from nacrith.bench.coding import REPEATS, measure_coding

    n = 200 if quick else 3000
    r = cached(f"coding-{n}", lambda: measure_coding(n))
    rows = [
        ["ideal cross-entropy of the model's softmax", f"{r['ideal']:.4f}", ""],
        ["counts of total 2^24", f"{r['counts_24']:.4f}", f"{r['counts_24'] - r['ideal']:+.4f}"],
        ["counts of total 2^16", f"{r['counts_16']:.4f}", f"{r['counts_16'] - r['ideal']:+.4f}"],
    ]
    overhead = 100 * (r["coded"] / r["coded_ideal"] - 1)
    times = r["milliseconds"]
    return (
        f"## CDF and coder\n\nFirst {r['tokens']} tokens of alice29.txt.\n\n"
        + table("bits a token | bits | against the ideal", rows)
        + f"\nRange coder: {overhead:+.4f} % over the ideal code length of its counts "
        f"({r['coded']:.4f} against {r['coded_ideal']:.4f} bits a token, with the bias head; "
        f"each symbol coded {REPEATS} times, so that the last byte does not count).\n\n"
        + table(
            "stage | milliseconds a token",
            [[stage, f"{t:.3f}"] for stage, t in times.items()]
            + [
                [
                    "scores, CDF and coder",
                    f"{times['scores'] + times['cdf'] + times['coder']:.3f}",
                ]
            ],
        )
    )


def _window(quick: bool) -> str:
    from nacrith.bench.window import measure_window

    slides = 3 if quick else 14
    r = cached(f"window-{slides}", lambda: measure_window(slides))
    excess = 100 * (r["slid"] / r["afresh"] - 1)
    ratio = r["evaluation_seconds"] / r["slide_seconds"]
    return (
        "## The sliding window\n\n"
        f"alice29.txt, one stream, window {r['window']}, {r['slides']} slides of "
        f"{r['chunk']} positions, {Parameters.sinks} sinks. Bits a token of the model alone on "
        f"the {r['tokens']} tokens after the second slide:\n\n"
        + table(
            "at each slide | bits a token",
            [
                ["keys rotated back", f"{r['slid']:.4f}"],
                ["window evaluated afresh", f"{r['afresh']:.4f}"],
            ],
        )
        + f"\nSliding costs {excess:+.2f} % bits. A slide takes "
        f"{1000 * r['slide_seconds']:.1f} ms, evaluating the kept tokens again "
        f"{1000 * r['evaluation_seconds']:.0f} ms: {ratio:.0f} times as long. Spread over the "
        f"{r['chunk']} steps between two slides it is "
        f"{100 * r['slide_seconds'] / r['chunk'] / r['step_seconds']:.2f} % of the decoding.\n"
    )


def _backends(quick: bool) -> str:
    from nacrith.bench.backends import measure_backends

    n = 10 if quick else 100
    r = cached(f"backends-{n}", lambda: measure_backends(n))
    rows = [
        [name, f"{r['speeds'][name]:.1f}", f"{r['relative_error'][name]:.1e}"]
        for name in r["speeds"]
    ]
    ratio = r["speeds"]["llama.cpp float32"] / r["speeds"]["transformers float32"]
    quantized = r["speeds"]["llama.cpp Q4_1"] / r["speeds"]["transformers float32"]
    return (
        "## llama.cpp beside PyTorch\n\n"
        f"{r['tokens']} random tokens, one stream. Error: the largest relative distance of the "
        "logits of a step from PyTorch's (Euclidean norm). Precise attention is float32\n"
        "throughout; the files are made with flash attention and a float16 cache.\n\n"
        + table("backend | tokens/s | relative error of the logits", rows)
        + f"\nWith the same float32 weights llama.cpp is {ratio:.1f} times as fast as PyTorch, "
        f"with the embedded quantized model {quantized:.1f} times.\n"
    )


def _documents(quick: bool) -> str:
    from nacrith.bench.documents import documents_section

    return documents_section([], 1 if quick else 3)


def _media(quick: bool) -> str:
    from nacrith.bench.media import measure_media, media_section

    return media_section(measure_media([]))


SECTIONS: dict[str, Section] = {
    "compare": _others,
    "one-stream": _one_stream,
    "sharing": _sharing,
    "levels": _levels,
    "streams": _streams,
    "documents": _documents,
    "media": _media,
    "ablation": _ablation,
    "skipping": skipping_section,
    "exact": _exact,
    "speed": _speed,
    "loading": loading_section,
    "coding": _coding,
    "window": _window,
    "backends": _backends,
}
"""By the name that `nacrith bench report` takes."""
