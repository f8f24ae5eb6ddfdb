"""Sections of docs/benchmarks.md on the backends and the coder: how exact and how fast they are."""

from functools import partial
from typing import Any

from nacrith.bench.exact import WINDOW, measure_ceiling, measure_decoding, measure_loss
from nacrith.bench.markdown import table
from nacrith.bench.speed import measure_speed
from nacrith.bench.store import cached
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model


def skipping_section(quick: bool) -> str:
    """What could be saved where a long match tells the next token."""
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


def speed_section(quick: bool) -> str:
    """The whole pipeline beside the bare decoding of each backend."""
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


def exact_section(quick: bool) -> str:
    """Loss and speed of the exact backend beside llama.cpp and the ceiling of its kernel."""
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
        "an 8-bit weight and a\nvalue per second on one core. Encoding, 64 tokens at once, "
        f"does {ceiling['encode']:.0f}·10⁹ on\n{ceiling['threads']} cores "
        f"({ceiling['tokens']:.0f} tokens/s): {share:.0f} % of the ceiling.\n"
    )


def coding_section(quick: bool) -> str:
    """What rounding to counts and the range coder cost, and each stage's time."""
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


def window_section(quick: bool) -> str:
    """What it costs in bits, and saves in time, to rotate keys back."""
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


def backends_section(quick: bool) -> str:
    """llama.cpp beside PyTorch: speed, and the error of the logits."""
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
