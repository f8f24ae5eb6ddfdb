"""Which prompt is chosen for which input."""

import pytest

from nacrith.transforms.prompts import PROMPTS, choose_prompt

MAN = b'.TH CAT 1 "May 1990"\n.SH NAME\ncat \\- concatenate files\n.SH SYNOPSIS\n.B cat\n'
LISP = b";;; mode.el --- a mode\n\n(defun f (x) x)\n"


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (MAN, 1),
        (LISP, 2),
        (b"(defmacro when-let (b) b)", 2),
        (b"Call me Ishmael. (define) .SH ; comment", 0),
        (b"#include <stdio.h>\n", 0),
        (b"", 0),
    ],
)
def test_the_prompt_suits_the_text(text, prompt):
    assert choose_prompt(text, len(text)) == prompt


def test_large_inputs_get_none():
    assert choose_prompt(MAN, 1 << 20) == 0


def test_no_prompt_is_the_first():
    assert PROMPTS[0] == b"" and all(PROMPTS[1:])
