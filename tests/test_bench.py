"""The benchmarks run, and what does not depend on time holds."""

import numpy as np
import pytest

from nacrith.bench import ablation, document_samples, documents, recording, store
from nacrith.bench.coding import measure_coding
from nacrith.bench.corpus import bpb, print_table, run_corpus
from nacrith.bench.replay import model_alone, replay
from nacrith.bench.skipping import matched_share
from nacrith.bench.speed import measure_speed
from nacrith.bench.window import measure_window
from nacrith.codec.text_codec import TextCodec
from nacrith.format.parameters import Parameters
from nacrith.models.catalog import default_model
from predictors.language_models.exact.model import ExactModel
from tests.deflate_samples import FILES


def test_cdf_and_coder_cost_what_they_should(canterbury):
    result = measure_coding(150)
    # 0.003 of the range goes to the ones: 0.004 bits.
    assert 0 < result["counts_24"] - result["ideal"] < 0.005
    assert result["counts_16"] - result["ideal"] > 1
    # Rounded intervals err both ways, and twenty times alike for a repeated symbol.
    assert abs(result["coded"] / result["coded_ideal"] - 1) < 0.0015


def test_sliding_costs_little(canterbury):
    result = measure_window(3, window=256)
    assert result["slides"] == 3
    assert result["slid"] < 1.1 * result["afresh"]


def test_speed_counts_all_tokens(canterbury):
    result = measure_speed("exact", 3, 300, 1)
    assert result["tokens"] > 60 and result["bare"] > 0


def test_results_are_kept(canterbury, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store, "FOLDER", tmp_path / "kept")
    (first,) = run_corpus("canterbury", only=["ptt5"])
    monkeypatch.setattr("nacrith.bench.corpus.measure", None)
    assert run_corpus("canterbury", only=["ptt5"]) == [first]
    assert bpb(first, "nacrith") == pytest.approx(8 * first["nacrith"] / 513216)
    print_table([first])
    assert "ptt5" in capsys.readouterr().out


def test_a_replay_costs_what_the_real_run_costs(canterbury, tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    text = canterbury["alice29.txt"].read_bytes()[2000:3200].replace(b"\r\n", b" ")
    model = ExactModel(default_model().path)
    parameters = Parameters()
    recorded = recording.record(model, "page", model.vocabulary.encode(text))
    found = replay(model.vocabulary, [recorded], parameters)
    assert found.tokens == len(recorded.symbols) and found.milliseconds > 0
    codec = TextCodec(model, default_model(), parameters)
    _, payload = codec.encode(text)
    assert found.size == pytest.approx(len(payload), rel=0.02)
    # Both streams read the same: the second learns from the first.
    both = replay(model.vocabulary, [recorded, recorded], parameters)
    assert both.size < 1.8 * found.size
    assert model_alone(recorded) > found.size - 3
    codec.close()


def test_ablation_switches_each_predictor_off(canterbury, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(recording, "FOLDER", tmp_path)
    monkeypatch.setattr(store, "FOLDER", tmp_path)
    names = ("xargs.1", "cp.html")
    monkeypatch.setattr(
        ablation, "texts", lambda n: {name: canterbury[name].read_bytes()[:n] for name in names}
    )
    results = ablation.run_ablation(3000, quick=True)
    offs = [result["off"] for result in results]
    assert offs[0] == "everything" and "byte-level refinement" in offs
    sizes = {result["off"]: sum(result["sizes"].values()) for result in results}
    assert sizes["everything"] < sizes["byte-level refinement"]
    # The text has no wrapped lines, so this changes nothing.
    assert sizes["line breaks apart"] == sizes["everything"]
    ablation.print_ablation(results)
    assert "output head" in capsys.readouterr().out


def test_matches_are_counted():
    text = np.array([*range(40), *range(40), 99, *range(20)], dtype=np.int32)
    share, right = matched_share(text, 16)
    # Of the second run 80 - 56 tokens, the one that breaks it, and the third's last 4.
    assert round(share * len(text)) == 24 + 1 + 4
    assert right == pytest.approx(28 / 29)
    assert matched_share(text[:40], 16) == (0, 0)


def test_documents_are_opened_and_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "FOLDER", tmp_path / "kept")
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.zip").write_bytes(FILES["zip"])
    (folder / "b.txt").write_bytes(b"nothing inside")
    count = documents.check_files([folder])
    assert count.startswith(f"2 files of {len(FILES['zip']) + 14:,} bytes; 1 with streams")
    assert "4 streams, 4 without corrections" in count
    section = documents.documents_section([folder / "a.zip"], 1)
    row = next(line for line in section.splitlines() if line.startswith("| a.zip"))
    sizes = [int(cell.strip(" *%").replace(",", "") or 0) for cell in row.split("|")[3:-1]]
    size, _, _, closed, opened, share, streams, perfect, payload = sizes
    assert size == len(FILES["zip"]) and opened < closed and share == round(100 * opened / size)
    assert (streams, perfect) == (4, 4) and 0 < payload < 40
    assert "100 % of the streams" in section


def test_the_samples_are_what_they_are_called(canterbury):
    made = {}
    for name, made_by, data in document_samples.samples():
        made[name, made_by] = data
        if len(made) > 8:
            break
    assert made["epub", "zipfile -9"][:4] == b"PK\x03\x04"
    assert made["tarball of sources", "gzip -6"][:3] == b"\x1f\x8b\x08"
    assert all(data for data in made.values())
