"""The page of `nacrith explain`: its figures add up, and a browser shows it."""

import base64
import gzip
import html as markup
import io
import json
import lzma
import re
import shutil
import subprocess
import zlib
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest

from nacrith.codec.ablated import WITHOUT
from nacrith.codec.token_log import Observer, observed_by
from nacrith.errors import NacrithError
from nacrith.explain import curve, explain, explaining
from nacrith.explain.odds import odds
from nacrith.explain.page import signed_bytes, verdict
from nacrith.explain.picture import picture
from nacrith.explain.rows import SHOWN, Strings
from nacrith.explain.totals import Totals
from nacrith.explain.words import surprising_words
from nacrith.format.parameters import Parameters
from nacrith.pipeline.compress import compress_stream
from nacrith.pipeline.decompress import decompress_stream
from nacrith.pipeline.options import CompressOptions
from tests.color_vision import SIMULATED, contrast, distance
from tests.conftest import assert_fails

TEXT = ("the end of </script> the thing, and the é of \U0001d11e to the king\n" * 6).encode()
NOISE = np.random.default_rng(0).integers(0, 256, 5000, dtype=np.uint8).tobytes()
CHROMIUM = shutil.which("chromium")


@pytest.fixture
def options(tiny_gguf, keep_text):
    return CompressOptions(tiny_gguf, threads=1, parameters=Parameters(window=256), streams=3)


def data_of(html: str) -> tuple[dict, dict[str, np.ndarray]]:
    """The JSON and the columns of a page."""
    (page,) = re.findall(r'<script type="application/json" id="page">(.*?)</script>', html)
    (packed,) = re.findall(r'<script type="text/plain" id="columns">(.*?)</script>', html)
    found = json.loads(page)
    n, k = found["rows"], found["others"]
    raw = zlib.decompress(base64.b64decode(packed))
    columns, at = {}, 0
    for name, dtype, shape in (
        ("shown", "<u4", (n,)), ("others", "<u4", (n, k)), ("bits", "<u2", (n, 3)),
        ("p_model", "<u2", (n, k)), ("p_heads", "<u2", (n, k)), ("own", "u1", (n,)),
    ):  # fmt: skip
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        columns[name] = np.frombuffer(raw[at : at + size], dtype).reshape(shape)
        at += size
    assert at == len(raw)
    return found, columns


def shown_text(page: dict, columns: dict[str, np.ndarray]) -> str:
    return "".join(page["strings"][i] for i in columns["shown"])


def test_the_page_of_a_text(options):
    page, columns = data_of(explain(io.BytesIO(TEXT), "a <b> name", options))
    assert page["name"] == "a <b> name"
    # One character is spelled by tokens that are parts of it.
    assert shown_text(page, columns).replace("⟨F0⟩⟨9D⟩⟨84⟩⟨9E⟩", "\U0001d11e") == TEXT.decode()
    packed = io.BytesIO()
    summary = compress_stream(io.BytesIO(TEXT), packed, options, len(TEXT))
    totals = page["totals"]
    assert totals["file"] == 8 * summary.compressed and totals["tokens"] == summary.tokens
    assert totals["original"] == len(TEXT)
    parts = ("coded", "other", "binary", "container")
    assert sum(totals[part] for part in parts) == pytest.approx(totals["file"])
    # Three flags and where the streams begin; what the end of the code rounds: zero bytes there
    # are left out.
    assert 10 < totals["other"] < 64
    bits = columns["bits"] / page["bitsUnit"]
    assert bits[:, 2].sum() == pytest.approx(totals["coded"], rel=0.01)
    # The text repeats: what learns pays.
    assert totals["coded"] < totals["heads"] < totals["model"]


def test_alternatives_agree_with_the_costs(options):
    page, columns = data_of(explain(io.BytesIO(TEXT * 10), "a", options))
    known = np.flatnonzero(columns["own"] < page["others"])
    assert len(known) > 20
    own = columns["own"][known]
    for stage, name in enumerate(("p_model", "p_heads")):
        p = columns[name][known, own] / page["probabilityUnit"]
        likely = p > 0.01
        expected = 0.5 ** (columns["bits"][known, stage] / page["bitsUnit"])
        assert np.allclose(p[likely], expected[likely], rtol=0.01)
    assert (columns["shown"][known] == columns["others"][known, own]).mean() > 0.9
    assert (np.diff(columns["p_heads"][:, :-1].astype(int)) <= 0).all()
    # The last one is the model's first choice.
    assert (columns["p_model"][:, -1:] >= columns["p_model"]).all()


def test_a_compressed_file_gives_the_same_page(options):
    packed = io.BytesIO()
    compress_stream(io.BytesIO(TEXT), packed, options, len(TEXT))
    given = explain(io.BytesIO(packed.getvalue()), "a", CompressOptions(options.model))
    assert given == explain(io.BytesIO(TEXT), "a", options)


def test_a_dictionary_is_read_first(options):
    sizes = []
    for dictionary in (b"", TEXT):
        chosen = replace(options, dictionary=dictionary, streams=1)
        page, columns = data_of(explain(io.BytesIO(TEXT), "a", chosen))
        sizes.append(page["totals"]["file"])
        assert shown_text(page, columns).startswith("the end of </script> the thing")
    # What it says itself is not on the page.
    assert page["totals"]["original"] == len(TEXT) and sizes[1] < sizes[0]
    packed = io.BytesIO()
    compress_stream(io.BytesIO(TEXT), packed, chosen, len(TEXT))
    again = CompressOptions(options.model, dictionary=TEXT)
    assert data_of(explain(io.BytesIO(packed.getvalue()), "a", again))[0] == page


@pytest.mark.parametrize("codec", ["cp1251", "gb18030", "utf-16"])
def test_text_in_another_charset(options, codec, monkeypatch):
    text = {"gb18030": "我们在学校里学习，他们不知道。\n"}.get(codec, "Ночь, улица, фонарь.\n") * 20
    data = text.encode(codec)
    packed = io.BytesIO()
    compress_stream(io.BytesIO(data), packed, options, len(data))
    # Who reads a file may detect otherwise than who made it.
    monkeypatch.setattr("nacrith.transforms.prepare.detect", lambda text: 0)
    page, columns = data_of(explain(io.BytesIO(packed.getvalue()), "a", options))
    assert page["totals"]["original"] == len(data)
    shown = b"".join(
        bytes.fromhex(s[1:-1]) if s.startswith("⟨") else s.encode()
        for s in (page["strings"][i] for i in columns["shown"])
    )
    assert shown.decode().lstrip("\ufeff") == text


def test_line_ends_and_binary_data_are_shown(options):
    wrapped = b"the king and the thing to the end of\nthe king to the sing and the\n" * 20
    data = wrapped.replace(b"\n", b"\r\n") + NOISE + TEXT * 4
    page, columns = data_of(explain(io.BytesIO(data), "a", options))
    # With binary data in between, the text is one for the model: lines end as they did.
    shown = shown_text(page, columns)
    (size,) = re.findall(r"\[(\d+) bytes of binary data\]", shown)
    assert abs(int(size) - len(NOISE)) < 10
    assert shown.startswith("the king and the thing to the end of\r\n")
    assert page["totals"]["binary"] >= 8 * int(size)
    assert page["totals"]["original"] == len(data)


@pytest.mark.parametrize("indentation", [b"", b"\t "])
def test_wrapped_lines_are_shown_as_they_are(options, indentation):
    line = indentation + b"the king and the thing to the end of the\n"
    wrapped = line * 40
    page, columns = data_of(explain(io.BytesIO(wrapped), "a", options))
    assert shown_text(page, columns) == wrapped.decode()
    assert page["totals"]["original"] == len(wrapped)
    page, columns = data_of(explain(io.BytesIO(wrapped.replace(b"\n", b"\r\n")), "a", options))
    assert shown_text(page, columns) == wrapped.decode()
    assert page["totals"]["original"] == len(wrapped) + wrapped.count(b"\n")


def test_the_curve_covers_the_file(options, monkeypatch):
    monkeypatch.setattr(curve, "POINT_BYTES", 1)
    monkeypatch.setattr(curve, "POINTS", 20)
    found = data_of(explain(io.BytesIO(TEXT), "a", options))[0]["curve"]
    assert 15 <= len(found["row"]) == len(found["coded"]) == len(found["model"]) <= 20
    assert found["row"][0] == 0 and found["coded"][0] > found["coded"][-1]
    assert found["width"] == len(TEXT) / 20


def test_the_curve_is_drawn_with_its_axes(options):
    page = explain(io.BytesIO(TEXT * 9), "a", options)
    (drawn,) = re.findall(r'<path class="coded" d="M([^"]*)"', page)
    points = [tuple(map(float, point.split())) for point in drawn.split("L")]
    assert len(points) == len(data_of(page)[0]["curve"]["coded"]) > 100
    assert all(0 <= x <= 1000 and 0 <= y <= 100 for x, y in points)
    labels = re.findall(r'<span style="bottom:[\d.]+%">([\d.]+)</span>', page)
    assert labels[0] == "0" and 2 <= len(labels) <= 6
    assert f"<span>{9 * len(TEXT) / 1000:.3g} KB</span></div>" in page


def test_all_text_is_in_the_page(options):
    text = TEXT * 30
    page = explain(io.BytesIO(text), "a", options)
    (main,) = re.findall(r'<main id="text">(.*)</main>', page, re.DOTALL)
    blocks = main.removeprefix("<div>").removesuffix("</div>").split("</div><div>")
    assert len(blocks) == len(data_of(page)[0]["blocks"]) > 3
    shown = markup.unescape("".join(blocks))
    assert shown.replace("⟨F0⟩⟨9D⟩⟨84⟩⟨9E⟩", "\U0001d11e") == text.decode()
    assert all(block.endswith("\n") for block in blocks)


def test_sizes_of_other_programs_are_beside(options):
    page = explain(io.BytesIO(TEXT * 9), "a", options)
    made = {
        "gzip -9": len(gzip.compress(TEXT * 9, 9)),
        "xz -9e": len(lzma.compress(TEXT * 9, preset=9 | lzma.PRESET_EXTREME)),
    }
    for name, size in made.items():
        assert f"<td>{name}<td>{size:,}<td>" in page
    assert re.search(r"The model, \d+ MB, is needed too and is not counted", page)


def test_what_the_file_takes_without_a_predictor(options):
    page, _ = data_of(explain(io.BytesIO(TEXT * 9), "a", options))
    without = page["totals"]["without"]
    assert list(without) == [*WITHOUT, "byte-level refinement"]
    assert without["byte-level refinement"] == page["totals"]["heads"]
    for name, off in WITHOUT.items():
        fewer = replace(options, parameters=replace(options.parameters, **off))
        alone, _ = data_of(explain(io.BytesIO(TEXT * 9), "a", fewer))
        assert alone["totals"]["coded"] == pytest.approx(without[name], rel=1e-4)
        assert name not in alone["totals"]["without"]


def test_a_page_says_where_the_predictors_cost(options):
    assert "The predictors after the model save" in explain(io.BytesIO(TEXT * 30), "a", options)
    letter = Totals(original=500, file=900, gzip=2000, xz=2000, tokens=100, model=800, coded=864)
    assert "after the model cost 8 bytes: the text is too short" in verdict(letter)
    letter.coded = 807
    assert "after the model cost 1 byte: the text is too short" in verdict(letter)
    assert [signed_bytes(n) for n in (-0.4, 9.9, 1234.5)] == ["−0.4", "+9.9", "+1,234"]


def test_the_most_surprising_words(options):
    text = TEXT * 9 + b"and then zyxwvut, a <b>Quixotry</b>, came; zyxwvut again\n" + TEXT
    page = explain(io.BytesIO(text), "a", options)
    found = re.findall(
        r'<li><a href="#text" data-row="(\d+)"><b>(.*?)</b></a> ([\d.]+) bits, (1 in .*?)<br>', page
    )
    words = [word for _, word, _, _ in found]
    assert {"zyxwvut", "Quixotry"} <= set(words[:4]) and len(set(words)) == len(words) <= 10
    costs = [float(bits) for _, _, bits, _ in found]
    assert costs == sorted(costs, reverse=True) and costs[0] > 20
    _, columns = data_of(page)
    row = int(found[words.index("zyxwvut")][0])
    start = shown_text(*data_of(page)).index("zyxwvut")
    before = "".join(data_of(page)[0]["strings"][i] for i in columns["shown"][:row])
    assert start - 2 <= len(before) <= start
    assert "&lt;b&gt;<b>Quixotry</b>&lt;/b&gt;" in page


def test_parts_of_characters_are_no_words():
    spellings = [b"dear", b" \xd7", b"\xa9", b"\xab\xcd", b" caf", b"\xc3", b"\xa9"]
    strings = Strings()
    rows = np.zeros(len(spellings), SHOWN)
    rows["shown"] = [strings.number(s) for s in spellings]
    rows["bits"] = 9
    found = [word.text for word in surprising_words(strings.texts(), rows)]
    assert sorted(found) == ["caf", "dear"]


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        (0, "1 in 1"), (1, "1 in 2"), (0.5, "1 in 1.4"), (3.3, "1 in 9.8"), (4, "1 in 16"),
        (17.46, "1 in 180,000"), (21.3, "1 in 2.6 million"), (29.897, "1 in 1 billion"),
        (41, "1 in 2.2 trillion"), (60, "1 in 10^18"),
    ],
)  # fmt: skip
def test_bits_as_odds(bits, words):
    assert odds(bits) == words


def test_the_image_to_share_holds_sizes_and_no_text(options):
    page = explain(io.BytesIO(b"zebra " + TEXT), "a<b>", options)
    (packed,) = re.findall(r'href="data:image/svg\+xml;base64,([^"]*)"', page)
    drawn = base64.b64decode(packed).decode()
    ElementTree.fromstring(drawn)
    assert "zebra" not in drawn and "gzip -9" in drawn and "a&lt;b&gt;" in drawn
    long = picture("x" * 100, Totals(original=1000, file=800, gzip=4000, xz=4000))
    assert "x" * 60 not in long and "100 (10.0 %)" in long


def test_the_page_needs_no_network(options):
    page = explain(io.BytesIO(TEXT), "a", options)
    assert not re.search(r'(?:src|href)="(?!#|data:)|@import|url\(|fetch\(', page)


def scheme(page: str, dark: bool) -> dict[str, str]:
    """The page's colours by the names of their variables."""
    light, at, other = page.partition("@media (prefers-color-scheme: dark)")
    assert at
    other = other.partition("body {")[0]
    return dict(re.findall(r"--([\w-]+): (#\w+);", other if dark else light))


@pytest.mark.parametrize("dark", [False, True])
def test_colours_of_the_page_can_be_told_apart_and_read(options, dark):
    found = scheme(explain(io.BytesIO(TEXT), "a", options), dark)
    assert contrast(found["text"], found["back"]) > 10
    for name in ("faint", "over", "best"):
        assert contrast(found[name], found["back"]) > 4.5, name
    for name in ("coded", "model", "others"):
        assert contrast(found[name], found["back"]) > 1.9, name
    for vision in SIMULATED:
        assert distance(found["coded"], found["others"], vision) > 25, vision
        assert distance(found["coded"], found["model"], vision) > 20, vision


def test_what_can_not_be_explained(options, monkeypatch):
    with pytest.raises(NacrithError, match="no text"):
        explain(io.BytesIO(NOISE), "a", options)
    with pytest.raises(NacrithError, match="no text"):
        explain(io.BytesIO(b""), "a", options)
    monkeypatch.setattr(explaining, "MAX_SIZE", 100)
    with pytest.raises(NacrithError, match="head -c"):
        explain(io.BytesIO(TEXT), "a", options)


def test_observing_changes_nothing(options):
    plain, observed = io.BytesIO(), io.BytesIO()
    compress_stream(io.BytesIO(TEXT), plain, options, len(TEXT))
    observer = Observer()
    with observed_by(observer):
        compress_stream(io.BytesIO(TEXT), observed, options, len(TEXT))
        decompress_stream(io.BytesIO(plain.getvalue()), None, options.model)
    assert plain.getvalue() == observed.getvalue()
    first, second = (log.rows() for log in observer.logs)
    assert np.array_equal(first["symbol"], second["symbol"])
    assert np.allclose(first["bits"], second["bits"], atol=1e-3)


def test_the_command(nacrith, tmp_path, tiny_gguf):
    # Long enough for a random model to learn it.
    (tmp_path / "a.txt").write_bytes(TEXT * 9)
    result = nacrith("explain", "--model", tiny_gguf, "a.txt")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert data_of((tmp_path / "a.txt.html").read_text("utf-8"))[0]["name"] == "a.txt"
    result = nacrith("explain", "--model", tiny_gguf, "a.txt")
    assert result.returncode == 1 and b"-f to overwrite" in result.stderr
    assert nacrith("explain", "-f", "-D", "a.txt", "--model", tiny_gguf, "a.txt").returncode == 0
    assert nacrith("explain", "missing").returncode == 1


def test_a_level_of_the_environment_without_the_model_has_no_effect(nacrith, tmp_path, tiny_gguf):
    (tmp_path / "a.txt").write_bytes(TEXT * 9)
    given = ("-fq", "--model", tiny_gguf, "a.txt")
    for level in ("1", "3"):
        result = nacrith("explain", *given, environment={"NACRITH_LEVEL": level})
        assert result.returncode == 0, result.stderr
    assert_fails(nacrith("explain", "-3", *given), 2, "below -4 there is no model")


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_a_browser_shows_it(options, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(explain(io.BytesIO(TEXT * 40), "a", options), "utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=10000",
        f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1000,600", "--dump-dom",
        page.as_uri(),
    ]  # fmt: skip
    # The browser's virtual time does not wait for the unpacking of the data.
    for _ in range(5):
        result = subprocess.run(command, capture_output=True, timeout=120, check=True)
        dom = result.stdout.decode("utf-8")
        spans = re.findall(r'<span data-row="\d+" class="cost"', dom)
        if spans:
            break
    # What is on the screen and a little more, not all of the tokens.
    assert 100 < len(spans) < data_of(page.read_text("utf-8"))[0]["rows"]
    # The image to share has become one of pixels.
    assert re.search(r'id="share" download="a.png" href="blob:', dom)
    assert dom.count("</h1>") == 1
