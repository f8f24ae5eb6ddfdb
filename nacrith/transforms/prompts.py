"""Short texts that a language model reads before the input.

A small file of a rare kind costs most at its start, until the model knows what
it reads. A text of the same kind in front, which the file only names by number,
saves it that.
"""

import re

# Frozen: files name them by number. Append only.
PROMPTS: tuple[bytes, ...] = (
    b"",
    b'.\\" Manual page of ls\n'
    b'.TH LS 1 "January 2024" "GNU coreutils" "User Commands"\n'
    b".SH NAME\n"
    b"ls \\- list directory contents\n"
    b".SH SYNOPSIS\n"
    b".B ls\n"
    b"[\\fIOPTION\\fR]... [\\fIFILE\\fR]...\n"
    b".SH DESCRIPTION\n"
    b".PP\n"
    b"This manual page documents\n"
    b".BR ls .\n"
    b".SS OPTIONS\n"
    b".TP\n"
    b'.I "\\-\\-all, \\-a"\n'
    b"Do not leave out files whose names start with a dot.\n"
    b".TP\n"
    b'.I "\\-\\-width=cols, \\-w cols"\n'
    b"Take the screen to be \\fIcols\\fR columns wide, instead of its actual width.\n"
    b".TP\n"
    b".I \\-\\-help\n"
    b"Print a summary of the options and exit.\n"
    b".SH OPTIONS\n"
    b".TP\n"
    b'.BR \\-a ", " \\-\\-all\n'
    b"Do not leave out files whose names start with a dot.\n"
    b".TP\n"
    b"\\fB\\-w\\fR, \\fB\\-\\-width\\fR=\\fICOLS\\fR\n"
    b"Take the screen to be \\fICOLS\\fR columns wide.\n",
    b";;; example.el --- an example  -*- lexical-binding: t -*-\n"
    b"\n"
    b";;; Commentary:\n"
    b"\n"
    b";; Example code.\n"
    b"\n"
    b";;; Code:\n"
    b"\n"
    b"(defun example-square (x)\n"
    b'  "Return the square of X."\n'
    b"  (let ((y (* x x)))\n"
    b"    y))\n"
    b"\n"
    b'(defvar example-list \'("one" "two")\n'
    b'  "A list of names.")\n'
    b"\n"
    b"(provide 'example)\n"
    b"\n"
    b";;; example.el ends here\n"
    b"\n",
)

_NONE, _MAN, _LISP = range(3)

# In a larger input the few bytes saved are not worth the time.
_MAX_SIZE = 1 << 16
_LOOK = 1 << 10

_MAN_LINES = re.compile(rb"^\.(\\\"|T[HP]|S[HSP]|Dd|Sh|PP|B[RI]?) ?", re.MULTILINE)
_LISP_START = re.compile(rb"\s*(;;|\((defun|define|setq|require|in-package|def\w+|let)\b)")


def choose_prompt(text: bytes, size: int) -> int:
    """Number of the prompt that suits an input of `size` bytes that begins with `text`."""
    if size > _MAX_SIZE:
        return _NONE
    head = text[:_LOOK]
    if len(_MAN_LINES.findall(head)) >= 3:
        return _MAN
    if _LISP_START.match(head):
        return _LISP
    return _NONE
