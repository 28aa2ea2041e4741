#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""qr.py PICTURE [dark]: paints what `wgctl qr' printed (standard input) as a terminal with a grey background would, or one that is
light on dark, into a PGM file. Checks that every line sets its own colours, is as wide as the others, and that around the code is a quiet zone."""

import re
import sys

SCALE = 4
GREY = 128
PLAIN = (255, 0) if "dark" in sys.argv[2:] else (GREY, GREY)
COLOURS = {"231": 255, "16": 0}
# The upper and the lower half: foreground?
BLOCKS = {" ": (False, False), "\u2580": (True, False), "\u2584": (False, True), "\u2588": (True, True)}


def paint(line):
    upper, lower, (fore, back) = [], [], PLAIN
    for piece in re.findall(r"\x1b\[[0-9;]*m|.", line):
        if piece == "\x1b[0m":
            fore, back = PLAIN
        elif piece[0] == "\x1b":
            found = re.fullmatch(r"\x1b\[38;5;(\d+);48;5;(\d+)m", piece)
            fore, back = COLOURS[found[1]], COLOURS[found[2]]
        else:
            for half, row in zip(BLOCKS[piece], (upper, lower)):
                row.append(fore if half else back)
    assert (fore, back) == PLAIN, "the colours go on behind the line"
    return upper, lower


def main():
    text = sys.stdin.read()
    assert text.endswith("\n")
    rows = [row for line in text[:-1].split("\n") for row in paint(line)]
    width = len(rows[0])
    assert all(len(row) == width for row in rows)
    assert GREY not in sum(rows, []), "the terminal's own background shows"
    for line in (*rows[:4], *rows[-4:], *([*row[:4], *row[-4:]] for row in rows)):
        assert set(line) == {255}, "no quiet zone"
    assert (width - 8 - 17) % 4 == 0 and len(rows) in (width, width + 1)
    with open(sys.argv[1], "wb") as file:
        file.write(b"P5 %d %d 255\n" % (width * SCALE, len(rows) * SCALE))
        for row in rows:
            file.write(bytes(pixel for pixel in row for _ in range(SCALE)) * SCALE)


if __name__ == "__main__":
    main()
