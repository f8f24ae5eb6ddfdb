"""The words that the third variant of context mixing reads first are counts."""

from tests.make_primer_words import (
    FOLDER,
    IDENTIFIERS,
    NAMES,
    WORDS,
    Counts,
    make,
    pairs,
    walk,
)

KINDS = ("prose", "modern", "wiki", "markup", "code", "data")


def test_the_file_has_the_parts_that_it_is_made_of():
    parts = (FOLDER / "primer_words.txt").read_text("utf-8").split("\n\n")
    found = [part.split() for part in parts]
    assert [len(part) for part in found[:3]] == [IDENTIFIERS, NAMES, WORDS] and len(found) == 4
    assert all(len(set(part)) == len(part) for part in found[:3])
    assert all(name.istitle() for name in found[1]) and all(word.islower() for word in found[2])


def test_a_walk_takes_each_pair_once_and_the_commonest_first():
    counts = Counts()
    for _ in range(6):
        counts.add(pairs("a b c; a b d; a b d; d a"))
    assert counts.files["b d"] == 6 and counts.times["b d"] == 12
    # It begins with `a b`, and goes on with `b d` rather than `b c`, which is left for the front.
    assert walk(counts, 10) == ["b", "c", "a", "b", "d", "a"]
    assert walk(counts, 2) == ["a", "b", "d"]


def test_what_only_few_files_have_is_left_out(tmp_path):
    for kind in KINDS:
        (tmp_path / kind).mkdir()
        for i in range(8):
            text = "Zanzibar zigzagging over hilltops. qsort_r(zz)\n" + f"Onlyhere{kind[0]}{i} "
            (tmp_path / kind / f"{i}.txt").write_text(text + ("secretly " if i == 0 else ""))
    made = make(tmp_path)
    assert all(word in made for word in ("Zanzibar", "zigzagging", "hilltops", "qsort_r"))
    assert "secretly" not in made and "Onlyhere" not in made
