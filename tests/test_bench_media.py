"""The bench of pictures and sound."""

import wave

import numpy as np
import pytest

from nacrith.bench import media
from nacrith.bench.media import measure_media, media_section
from nacrith.errors import ArgumentError
from tests.jpeg_samples import picture


def test_pictures_and_sound_are_measured(tmp_path):
    image = pytest.importorskip("PIL.Image")
    y, x = np.mgrid[0:30, 0:40]
    pixels = np.stack([4 * x, 5 * y, x + y], axis=2).astype(np.uint8)
    image.fromarray(pixels).save(tmp_path / "a.png")
    with wave.open(str(tmp_path / "b.wav"), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes((3000 * np.sin(np.arange(900) / 9)).astype("<i2").tobytes())
    first, second = measured = measure_media([tmp_path / "a.png", tmp_path / "b.wav"])
    assert first["bytes"] == 54 + 30 * 120 and 0 < first["size"] < 1000
    assert {"PNG", "WEBP"} <= first["others"].keys()
    assert second["bytes"] == 1844 and 0 < second["size"] < 1800
    assert f"**{first['size']:,}**" in media_section(measured)


def test_jpeg_is_measured_as_it_is(tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture("4:2:0"))
    bitmap, jpeg = measured = measure_media([tmp_path / "a.jpg"])
    assert bitmap["name"] == "a.bmp" and jpeg["name"] == "a.jpg"
    assert 0 < jpeg["size"] < jpeg["bytes"] == len(picture("4:2:0")) < bitmap["bytes"]
    assert "a.jpg" in media_section(measured)


def test_endings_in_capitals_are_known(tmp_path):
    (tmp_path / "a.JPG").write_bytes(picture("4:2:0"))
    assert [m["name"] for m in measure_media([tmp_path / "a.JPG"])] == ["a.bmp", "a.JPG"]


@pytest.mark.parametrize("decode, restored", [("decode_binary", b""), ("decode_frame", [b""])])
def test_what_does_not_come_back_is_told(tmp_path, monkeypatch, decode, restored):
    (tmp_path / "a.jpg").write_bytes(picture("4:2:0"))
    monkeypatch.setattr(media, decode, lambda *_: restored)
    with pytest.raises(AssertionError, match="the restored data differs"):
        measure_media([tmp_path / "a.jpg"])


def test_what_is_no_picture_is_an_error(tmp_path):
    pytest.importorskip("PIL.Image")
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(ArgumentError, match="no picture"):
        measure_media([tmp_path / "a.png"])
