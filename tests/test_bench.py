"""The benchmarks run, and what does not depend on time holds."""

import pytest

from nacrith.bench import store
from nacrith.bench.coding import measure_coding
from nacrith.bench.corpus import bpb, print_table, run_corpus
from nacrith.bench.speed import measure_speed
from nacrith.bench.window import measure_window


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
    result = measure_speed(3, 300, 1)
    assert result["tokens"] > 60 and result["bare"] > 0


def test_results_are_kept(canterbury, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(store, "FOLDER", tmp_path / "kept")
    (first,) = run_corpus("canterbury", only=["kennedy.xls"])
    monkeypatch.setattr("nacrith.bench.corpus.measure", None)
    assert run_corpus("canterbury", only=["kennedy.xls"]) == [first]
    assert bpb(first, "nacrith") == pytest.approx(8 * first["nacrith"] / 1029744)
    print_table([first])
    assert "kennedy.xls" in capsys.readouterr().out
