"""What is said before a long run."""

from nacrith.cli.expectation import expected_seconds, tell_what_to_expect


def test_only_long_runs_of_text_are_spoken_of(tmp_path, capsys):
    short, long, binary = (tmp_path / name for name in ("short", "long", "binary"))
    short.write_bytes(b"a" * 10_000)
    long.write_bytes(b"a text " * 1_000_000)
    binary.write_bytes(bytes(7_000_000))
    for path in (short, binary, tmp_path / "missing", tmp_path):
        tell_what_to_expect(path, 6, 2)
    tell_what_to_expect(long, 1, 2)
    assert capsys.readouterr().err == ""
    tell_what_to_expect(long, 6, 2)
    message = capsys.readouterr().err
    assert "about 29 min if it is text" in message and "-3 takes 28 s" in message


def test_levels_take_longer_and_threads_help_the_model_only():
    seconds = [expected_seconds(10**6, level, 2) for level in range(1, 10)]
    assert seconds == sorted(seconds)
    assert expected_seconds(10**6, 6, 8) == expected_seconds(10**6, 6, 2) / 4
    assert expected_seconds(10**6, 2, 8) == expected_seconds(10**6, 2, 2)
