"""Codecs that are kept open from one frame to the next: one, or several that share their models."""

from collections.abc import Callable

from nacrith.codec.codec_request import (
    Codec,
    CodecRequest,
    CompressRequest,
    DecompressRequest,
    Opener,
)
from nacrith.codec.loaded_models import LoadedModels
from nacrith.codec.text_codec import TextCodec
from nacrith.codec.text_mixing import TextMixing
from nacrith.format.frame import Frame, Kind
from nacrith.system.devices import CPU
from predictors.text.text_model import TextPast

_MOST_OPEN = 4
"""Codecs that are kept open: for both directions, and two kinds of text."""


class CodecSlot:
    """Keeps one codec open: the next frame most likely needs it too.

    Attributes:
        device: where models run: see `load_model`.
    """

    def __init__(self, device: str = CPU) -> None:
        self.device = device
        self._request: CodecRequest | None = None
        self._codec: Codec | None = None
        self._dictionary = b""
        self._past: TextPast | None = None

    def has(self, request: CodecRequest | None) -> bool:
        """Is the codec open?"""
        return self._codec is not None and request == self._request

    def open(self, request: CodecRequest | None) -> Codec | None:
        """The codec asked for, opened if it is not open already; None for None."""
        if request is None:
            return None
        if not self.has(request):
            self.close()
            self._codec, self._request = request.open(device=self.device), request
        return self._codec

    def opener(
        self,
        request: CodecRequest | None,
        before: Callable[[CodecRequest | None], None] = lambda request: None,
    ) -> Codec | Opener | None:
        """What `encode_frame` takes: the model is opened when there is text for it.

        Args:
            before: called before.
        """
        if not isinstance(request, CompressRequest):
            return self.open(request)

        def opened() -> TextCodec:
            before(request)
            codec = self.open(request)
            assert isinstance(codec, TextCodec)
            return codec

        return opened

    def open_for(self, request: CodecRequest | None, frame: Frame) -> TextCodec | None:
        """The codec that decoding `frame` needs: none if it has no text for the model, or if no
        model is named, which `decode_frame` finds wrong."""
        named = isinstance(request, DecompressRequest) and request.record is not None
        codec = self.open(request if named and frame.size_of(Kind.TEXT) else None)
        assert not isinstance(codec, TextMixing)
        return codec

    def past(self, request: CodecRequest | None) -> TextPast | None:
        """What text by context mixing begins with; None = the primer."""
        dictionary = request.dictionary if request else b""
        if dictionary != self._dictionary:
            self._dictionary = dictionary
            self._past = TextPast(dictionary) if dictionary else None
        return self._past

    def move(self, device: str) -> None:
        """What is opened from now on runs there."""
        self.close()
        self.device = device

    def close(self) -> None:
        codec, self._codec, self._request = self._codec, None, None
        if codec:
            codec.close()


class CodecShelf(CodecSlot):
    """Keeps several codecs open, for whoever has many small things to do.

    They share their models, and have one dictionary.
    """

    def __init__(self, threads: int = 0, dictionary: bytes = b"", device: str = CPU) -> None:
        """`threads`: see `LoadedModels`."""
        super().__init__(device)
        self._dictionary = dictionary
        self._past = TextPast(dictionary)
        self._threads = threads
        self._models = LoadedModels(threads, device)
        self._codecs: dict[CodecRequest, Codec] = {}

    def has(self, request: CodecRequest | None) -> bool:
        return request in self._codecs

    def open(self, request: CodecRequest | None) -> Codec | None:
        if request is None:
            return None
        codec = self._codecs.pop(request, None)
        if codec is None:
            while len(self._codecs) >= _MOST_OPEN:
                self._codecs.pop(next(iter(self._codecs))).close()
            codec = request.open(self._models, self.device)
        # The last one used is the last to go.
        self._codecs[request] = codec
        return codec

    def move(self, device: str) -> None:
        super().move(device)
        self._models = LoadedModels(self._threads, device)

    def close(self) -> None:
        for codec in self._codecs.values():
            codec.close()
        self._codecs.clear()
        self._models.close()
