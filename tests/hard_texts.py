"""Texts that are hard to cut into words, and to spell in tokens."""

HARD_CASES = {
    "empty": b"",
    "every byte": bytes(range(256)),
    "every byte backwards, twice": bytes(range(255, -1, -1)) * 2,
    "nul": b"\0" * 1000,
    "nul inside text": b"to\0the\0end",
    "invalid utf-8": b"caf\xe9 \xc3\x28 \xf0\x9f\x98 \xff\xfe",
    "overlong": b"\xc0\x80 \xe0\x80\x80",
    "encoded lone surrogates": "a\ud800b\udfffc\udc80".encode("utf-8", "surrogatepass"),
    "cut character": "é".encode()[:1],
    "special tokens as text": b"<|endoftext|><|im_start|>user\nhi<|im_end|>\n<repo_name>",
    "crlf": b"one\r\ntwo\r\n\r\nthree\r",
    "10,000 spaces": b" " * 10_000,
    "10,000 newlines": b"\n" * 10_000,
    "emoji": "😀👩‍👩‍👧‍👦🇩🇪e\u0301".encode() * 20,
    "byte order mark": b"\xef\xbb\xbftext",
    "noncharacters": "\uffff\ufffe\U0010ffff\ufffd".encode(),
    "missing bytes of both vocabularies": b"a\x04b\x06c\x13\xc0\xf5\xff the end",
    "long word": b"a" * 100_000,
    "no newline for long": ("wörter " * 20_000).encode(),
}

WORDS = (
    "I'll say it's THEY'LL, we'd'VE don't DON'T 'ſ a'K 1234567 12 x1y22 Ⅷ½٣ "
    "naïve façade 你好，世界 שלום مرحبا ไทย हिन्दी e\u0301\u00a0\u2003\u200b~~!!?? #$% ...\n"
    "\n\n\r\n  \t\tif (a[i]>=b) { return a->b; }   \r\n\n end  of   it \n\u2028x\u0085y\x0b\x0cz\n"
)
"""What rules for cutting words tell apart."""

PLANES = "".join(f" word{chr(plane << 16 | 0x41)}\n" for plane in range(17)).encode()
"""A word in each plane of Unicode: some begin with bytes without a token."""
