"""docs/benchmarks.md: every measurement of this project, by one command."""

import platform
from collections.abc import Callable
from pathlib import Path

from nacrith.bench.store import cached

Section = Callable[[bool], str]

# Longer texts are measured from recorded outputs of the model.
_LARGE = 100_000
_ALWAYS_REAL = ("alice29.txt", "kennedy.xls", "ptt5")


def write_report(quick: bool, output: Path | None) -> None:
    """Measure what is not stored yet, then print the report or write it to `output`."""
    parts = [_head(), *(section(quick) for section in SECTIONS)]
    text = "\n".join(parts)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, "utf-8")
    else:
        print(text)


def _head() -> str:
    import llama_cpp

    from predictors.numerics import available_threads

    return (
        "# Benchmarks\n\n"
        "Made by `make bench`. Sizes count every byte of the file, header and checksums\n"
        "included; bpb is bits per byte of the original. Speeds are of one machine on one day:\n"
        "the ratios, measured in one run, are what to look at.\n\n"
        f"Machine: {_processor()}, {available_threads()} CPUs. "
        f"Python {platform.python_version()}, llama-cpp-python {llama_cpp.__version__}, "
        "model SmolLM2-135M-Instruct Q4_1 (98 MB), no GPU.\n"
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _table(header: str, rows: list[list[str]]) -> str:
    columns = header.split(" | ")
    lines = [
        "| " + header + " |",
        "| --- |" + " ---: |" * (len(columns) - 1),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _corpus(quick: bool) -> str:
    from nacrith.bench.corpus import bpb, run_corpus
    from nacrith.bench.texts import canterbury

    sizes = {name: len(data) for name, data in canterbury().items()}
    if quick:
        sizes = {name: size for name, size in sizes.items() if size < 5000}
    chosen = [n for n, size in sizes.items() if size < _LARGE or n in _ALWAYS_REAL]
    results = run_corpus("canterbury", only=chosen, streams=1)
    rows = [
        [
            r["file"],
            str(r["size"]),
            str(r["nacrith"]),
            *(f"{bpb(r, c):.3f}" for c in ("gzip", "bzip2", "xz")),
            f"**{bpb(r, 'nacrith'):.3f}**",
            f"{r['streams']} x {r['window']}" if r["streams"] else "-",
            *(
                f"{r['tokens'] / r[side]:.0f}" if r["tokens"] else "-"
                for side in ("compress_seconds", "decompress_seconds")
            ),
        ]
        for r in sorted(results, key=lambda r: r["size"])
    ]
    return (
        "## Canterbury corpus\n\n"
        "Compressed, restored and found equal; one stream, the default window of 1,024. The\n"
        "speeds are those of a long run, on a machine that may have had other work: compare\n"
        "speeds in the section on speed.\n\n"
        + _table(
            "file | bytes | compressed | gzip -9 bpb | bzip2 -9 | xz -9e | nacrith "
            "| streams x window | tokens/s in | tokens/s out",
            rows,
        )
    )


def _whole(quick: bool) -> str:
    from nacrith.bench.whole_files import measure_whole, measured_texts
    from nacrith.models import default_model
    from predictors.llama_cpp import LlamaCppModel

    texts = measured_texts()
    if quick:
        texts = {name: (text[:2000], streams) for name, (text, streams) in texts.items()}
    model = LlamaCppModel(default_model().path)
    rows = []
    for name, (text, streams) in texts.items():
        slug = f"{name.replace(',', '').replace(' ', '-')}{'-quick' if quick else ''}"
        r = cached(
            f"whole-{slug}",
            lambda n=slug, t=text, s=streams: measure_whole(model, n, t, s),  # type: ignore[misc]
        )
        bpb, alone = (8 * r[key] / r["bytes"] for key in ("size", "model_alone"))
        rows.append(
            [
                name,
                str(r["bytes"]),
                f"{r['size']}",
                f"**{bpb:.3f}**",
                f"{alone:.3f}",
                f"{100 * (bpb / alone - 1):+.1f} %",
                f"{r['milliseconds']:.2f}",
            ]
        )
    return (
        "## Longer texts\n\n"
        "From recorded outputs of the model, with the sizes of header, frame and trailer added;\n"
        "one stream unless it says otherwise. *Model alone*: an ideal coder on the model's\n"
        "softmax, on the text as it is, with the same additions. Milliseconds a token: all\n"
        "but the model.\n\n"
        + _table(
            "text | bytes | compressed | bpb | model alone | difference | ms a token",
            rows,
        )
    )


def _ablation(quick: bool) -> str:
    from nacrith.bench.ablation import row, run_ablation

    results = run_ablation(2000, quick=True) if quick else run_ablation()
    names = list(results[0]["sizes"])
    return (
        "## What each predictor is worth\n\n"
        f"The first {2000 if quick else 30_000} bytes of each text, from recorded outputs. First\n"
        "line: bytes. Then: by how many per cent the size changes without the predictor, and by\n"
        "how many milliseconds a token the time.\n\n"
        + _table(
            " | ".join(["without", *names, "all", "ms a token"]),
            [row(result, results[0], names) for result in results],
        )
    )


def _skipping(quick: bool) -> str:
    from nacrith.bench.ablation import texts
    from nacrith.bench.skipping import matched_share
    from nacrith.models import default_model
    from nacrith.prepared_text import prepare
    from predictors.llama_cpp import load_vocabulary

    vocabulary = load_vocabulary(default_model().path)
    rows = []
    for name, text in texts(2000 if quick else 1_000_000).items():
        symbols = vocabulary.encode(prepare(text).text)
        cells = [f"{100 * x:.1f} %" for n in (16, 32) for x in matched_share(symbols, n)]
        rows.append([name, *cells])
    return (
        "## Would it pay to skip the model where a match is long?\n\n"
        "Share of the tokens that a match of at least 16 or 32 tokens predicts, and how often it\n"
        "is right. A skipped token must still enter the model's cache, in a batch: that takes\n"
        "40 % of a step of one stream, and as much as a step of 8 streams takes per token. So\n"
        "the time saved is at most 0.6 of these shares with one stream and nothing with 8,\n"
        "while each wrong prediction costs bits and its step as well. It is not built.\n\n"
        + _table("text | 16 tokens | right | 32 tokens | right", rows)
    )


def _speed(quick: bool) -> str:
    from nacrith.bench.speed import measure_speed

    rows = []
    for streams in (1, 8):
        n_bytes, rounds = (2000, 1) if quick else (8_000, 3)
        key = f"speed-{streams}-{n_bytes}"
        r = cached(key, lambda s=streams, n=n_bytes, k=rounds: measure_speed(s, n, k))  # type: ignore[misc]
        rows.append(
            [
                str(streams),
                *(f"{r[name]:.0f}" for name in ("bare", "compress", "decompress")),
                *(f"{r[name + '_ratio']:.3f}" for name in ("compress", "decompress")),
            ]
        )
    return (
        "## Speed against llama.cpp's bare decode\n\n"
        "The same tokens of alice29.txt, the three loops in turn; medians.\n\n"
        + _table(
            "streams | bare decode tokens/s | compress | decompress | compress / bare "
            "| decompress / bare",
            rows,
        )
    )


def _coding(quick: bool) -> str:
    from nacrith.bench.coding import measure_coding

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
        + _table("bits a token | bits | against the ideal", rows)
        + f"\nRange coder: {overhead:+.4f} % over the ideal code length of its counts "
        f"({r['coded']:.4f} against {r['coded_ideal']:.4f} bits a token, with the bias head; "
        "each symbol coded 20 times, so that the last byte does not count).\n\n"
        + _table(
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
        f"{r['chunk']} positions, 4 sinks. Bits a token of the model alone on the {r['tokens']} "
        "tokens after the second slide:\n\n"
        + _table(
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
        + _table("backend | tokens/s | relative error of the logits", rows)
        + f"\nWith the same float32 weights llama.cpp is {ratio:.1f} times as fast as PyTorch, "
        f"with the embedded quantized model {quantized:.1f} times.\n"
    )


SECTIONS: list[Section] = [
    _corpus,
    _whole,
    _ablation,
    _skipping,
    _speed,
    _coding,
    _window,
    _backends,
]
