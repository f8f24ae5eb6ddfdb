"""Pictures and sound without loss, beside the formats that are made for them."""

import importlib.util
import io
import wave
from pathlib import Path
from typing import Any

import numpy as np

from nacrith.bench.markdown import table
from nacrith.codec.binary_codec import decode_binary, encode_binary
from nacrith.codec.frame_decoder import decode_frame
from nacrith.codec.frame_encoder import encode_frame
from nacrith.errors import ArgumentError

_LARGEST = 400
"""Pixels of a side: of larger pictures the middle is taken."""

_RATE = 22_050
"""Samples a second of the sound that is made, in two channels."""

_SECONDS = 4
_NOTES = 40

_JPEG_SUFFIXES = {".jpg", ".jpeg"}


def measure_media(files: list[Path]) -> list[dict[str, Any]]:
    """Sizes in bytes by format of pictures and WAV files, each restored and compared.

    Pictures become bitmaps (BMP) of 24 bits; JPEG is measured as it is, too. Without files: the
    photograph that Matplotlib brings (Grace Hopper, U.S. Navy, public domain), and music made of
    decaying tones.

    Raises:
        ArgumentError: a file is no picture, or Pillow is not there.
        AssertionError: what was restored differs.
    """
    if not files:
        photograph = _photograph()
        return [_picture(photograph), _jpeg(photograph), _sound("tones.wav", _music())]
    measured = []
    for file in files:
        suffix = file.suffix.lower()
        if suffix == ".wav":
            measured.append(_sound(file.name, file.read_bytes()))
            continue
        measured.append(_picture(file))
        if suffix in _JPEG_SUFFIXES:
            measured.append(_jpeg(file))
    return measured


def media_section(measured: list[dict[str, Any]]) -> str:
    """Markdown of what `measure_media` returns."""
    head = "file | bytes | others | nacrith"
    rows = [
        [
            m["name"],
            f"{m['bytes']:,}",
            ", ".join(f"{name} {size:,}" for name, size in m["others"].items()),
            f"**{m['size']:,}**",
        ]
        for m in measured
    ]
    return (
        "## Pictures and sound\n\nBytes without loss, of `nacrith bench media`: the middle of a "
        "photograph as a bitmap of 24 bits, all of it as JPEG, sound of 16 bits as WAV.\n\n"
        + table(head, rows)
    )


def _coded(name: str, data: bytes, others: dict[str, int]) -> dict[str, Any]:
    kind, payload = encode_binary(data)
    _compare(decode_binary(kind, payload, len(data)), data)
    return {"name": name, "bytes": len(data), "others": others, "size": len(payload)}


def _compare(restored: bytes, data: bytes) -> None:
    if restored != data:
        raise AssertionError("the restored data differs")


def _photograph() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")


def _picture(file: Path) -> dict[str, Any]:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise ArgumentError("pictures are read by Pillow: pip install pillow") from error
    formats: dict[str, dict[str, Any]] = {
        "PNG": {"optimize": True},
        "WEBP": {"lossless": True, "quality": 100, "method": 6},
    }
    if importlib.util.find_spec("pillow_jxl"):
        importlib.import_module("pillow_jxl")
        formats["JXL"] = {"lossless": True, "effort": 9}
    try:
        picture = Image.open(file).convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise ArgumentError(f"{file} is no picture: {error}") from error
    width, height = picture.size
    left, top = max(0, width - _LARGEST) // 2, max(0, height - _LARGEST) // 2
    picture = picture.crop((left, top, min(width, left + _LARGEST), min(height, top + _LARGEST)))

    def saved(format_name: str, **options: Any) -> bytes:
        target = io.BytesIO()
        picture.save(target, format_name, **options)
        return target.getvalue()

    others = {name: len(saved(name, **options)) for name, options in formats.items()}
    return _coded(f"{file.stem}.bmp", saved("BMP"), others)


def _jpeg(file: Path) -> dict[str, Any]:
    """A JPEG picture as it is, beside Lepton where that is installed."""
    data = file.read_bytes()
    others = {}
    if importlib.util.find_spec("lepton_jpeg_python"):
        library = importlib.import_module("lepton_jpeg_python")
        others["Lepton"] = len(bytes(library.compress_bytes(data, {})))
    frame = encode_frame(data, None)
    _compare(b"".join(decode_frame(frame, None)), data)
    return {
        "name": file.name, "bytes": len(data), "others": others, "size": len(frame.to_bytes())
    }  # fmt: skip


def _sound(name: str, data: bytes) -> dict[str, Any]:
    others = {}
    if importlib.util.find_spec("soundfile"):
        soundfile = importlib.import_module("soundfile")
        samples, rate = soundfile.read(io.BytesIO(data), dtype="int16")
        target = io.BytesIO()
        soundfile.write(
            target, samples, rate, format="FLAC", subtype="PCM_16", compression_level=1.0
        )
        others["FLAC"] = len(target.getvalue())
    return _coded(name, data, others)


def _music() -> bytes:
    """A WAV file."""
    random = np.random.default_rng(0)
    t = np.arange(_RATE * _SECONDS) / _RATE
    sound = random.normal(0, 0.002, (len(t), 2))
    for _ in range(_NOTES):
        begin, loud, side = random.uniform((0, 0.02, 0), (_SECONDS, 0.1, 1))
        pitch = 110 * 2 ** (random.integers(0, 36) / 12)
        fall = np.where(t > begin, np.exp(-(t - begin) * random.uniform(1, 6)), 0) * loud
        for harmonic in range(1, 8):
            tone = np.sin(2 * np.pi * pitch * harmonic * (t - begin)) * fall / harmonic
            sound += np.outer(tone, (side, 1 - side))
    samples = np.round(np.clip(sound, -1, 1) * 32767).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(_RATE)
        writer.writeframes(samples.tobytes())
    return file.getvalue()
