"""What a NC06 file holds and needs, found without the model."""

from collections import Counter
from collections.abc import Callable
from typing import Any, BinaryIO

from nacrith.format.container import VERSION, MemberReader
from nacrith.format.frame import Frame, Kind
from nacrith.format.header import Header
from nacrith.format.releases import program_of
from nacrith.format.varint import Reader
from nacrith.plural import counted


def _ignore(header: Header, frame: Frame) -> None:
    pass


def _not_told(frame: Frame) -> int:
    return 0


def describe_file(
    source: BinaryIO,
    look_at: Callable[[Header, Frame], None] = _ignore,
    streams_in: Callable[[Frame], int] = _not_told,
) -> dict[str, Any]:
    """Read a whole file, check its checksums and describe it, JSON-ready.

    Args:
        look_at: called with each frame, after its checksum has been compared.
        streams_in: the streams of a frame's text for the model, 0 = it has none, or they are not
            to be told.

    Raises:
        FormatError, UnsupportedError
    """
    reader = MemberReader(source)
    members = []
    for member in reader:
        count: Counter[str] = Counter()
        variants, streams = set(), set()
        check = b""
        for frame in member.frames():
            look_at(member.header, frame)
            count["frames"] += 1
            count["tokens"] += frame.n_symbols
            count["text payload"] += len(frame.payloads.get(Kind.TEXT, b""))
            count["original_size"] += frame.original_size
            if frame.opened:
                count["opened"] += frame.original_size
                count["pictures"] += len(frame.opened.pictures or b"")
            for kind, length in frame.segments:
                count[kind.name] += length
            if Kind.MIXED_TEXT in frame.payloads:
                variants.add(Reader(frame.payloads[Kind.MIXED_TEXT], "text of a frame").varint())
            streams.add(streams_in(frame))
            check = frame.check
        header = member.header
        model = header.model
        members.append(
            {
                "original_size": count["original_size"],
                "opened": count["opened"],
                "pictures": count["pictures"],
                "bytes": {kind.name.lower(): count[kind.name] for kind in Kind},
                "variants": sorted(variants),
                "tokens": count["tokens"],
                "text_payload": count["text payload"],
                "streams": sorted(streams - {0}),
                "frames": count["frames"],
                "hash": "blake2b:" + (member.trailer.digest if member.trailer else check).hex(),
                "model": model
                and {
                    "name": model.name,
                    "sha256": model.sha256,
                    "correction": model.correction or None,
                    "numerics": str(model.numerics),
                    "probe": f"{model.probe:08x}",
                },
                "parameters": vars(header.parameters) if model else None,
                "dictionary": header.dictionary.hex() or None,
                "metadata": header.metadata and vars(header.metadata),
            }
        )
    number = VERSION - 0x80
    return {
        "format": f"NC06 version {number}",
        "program": program_of(number),
        "size": reader.position,
        "members": members,
    }


def _streams(numbers: list[int]) -> str:
    if not numbers:
        return ""
    least = f"{numbers[0]} to " if len(numbers) > 1 else ""
    return f", {least}{counted(numbers[-1], 'stream')}"


def description_lines(description: dict[str, Any]) -> list[str]:
    """The same for people."""
    lines = [f"{description['file']}: {description['format']}, of {description['program']}"]
    packed = description["size"]
    size = sum(member["original_size"] for member in description["members"])
    bpb = f" ({8 * packed / size:.3f} bits per byte of the original)" if size else ""
    lines.append(f"  compressed  {counted(packed, 'byte')}{bpb}")
    for member in description["members"]:
        lines.append(f"  original    {counted(member['original_size'], 'byte')}")
        lines.append(f"  frames      {member['frames']}")
        if member["opened"]:
            inside = sum(member["bytes"].values())
            lines.append(
                f"  opened      {counted(member['opened'], 'byte')} with compressed streams, "
                f"which hold {inside} with all around"
                if member["opened"] == member["original_size"]
                else f"  opened      {counted(member['opened'], 'byte')} with compressed streams"
            )
        if member["pictures"]:
            pictures = counted(member["pictures"], "byte")
            lines.append(f"  pictures    {pictures} of coefficients of JPEG pictures")
        for kind, n in member["bytes"].items():
            more = ""
            if kind == Kind.TEXT.name.lower():
                more = f" in {counted(member['tokens'], 'token')}{_streams(member['streams'])}"
            if kind == Kind.MIXED_TEXT.name.lower():
                more = f" by variant {' and '.join(map(str, member['variants']))}"
            if n:
                lines.append(f"  {kind:<11} {counted(n, 'byte')}{more}")
        lines.append(f"  hash        {member['hash']}")
        if member["model"]:
            model = member["model"]
            lines.append(f"  model       {model['name']}")
            lines.append(f"              sha256 {model['sha256']}")
            if model["correction"]:
                lines.append(f"  correction  of its weights, with the hash {model['correction']}")
            lines.append(f"  numerics    {model['numerics']}")
            parameters = ", ".join(f"{k} {v}" for k, v in member["parameters"].items())
            lines.append(f"  parameters  {parameters}")
        if member["dictionary"]:
            lines.append(f"  dictionary  needed, with the hash {member['dictionary']} (-D)")
        if member["metadata"]:
            mode, mtime = member["metadata"]["mode"], member["metadata"]["mtime"]
            lines.append(f"  metadata    mode {mode:o}, modified {mtime} s after 1970")
    return lines
