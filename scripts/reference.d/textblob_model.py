#!/usr/bin/env python3
"""What Python's TextBlob says: the word list, expected figures, and the differential test.

Run with a Python 3.11 that has textblob==0.20.1. The seed decides every generated text.

    textblob_model.py lexicon  > crates/score/data/textblob/words.tsv
    textblob_model.py golden   > crates/score/tests/golden/textblob.tsv
    textblob_model.py diff --binary target/release/examples/textblob_figures --texts 1000000
    textblob_model.py diff --binary ... --file posts.jsonl --file reddit.tsv

`diff` asks the binary for the figures of each text and compares them bit for bit. A line to the binary is the text as a
JSON string; a line from it is polarity, a tab, subjectivity.
"""

import argparse
import csv
import json
import random
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version

from textblob import TextBlob
from textblob import _text as pattern
from textblob.en import sentiment as words_of_pattern

PINNED = "0.20.1"


def figures(text):
    """Polarity and subjectivity of the text, as TextBlob gives them by default."""
    sentiment = TextBlob(text).sentiment
    return sentiment.polarity, sentiment.subjectivity


# --- the word list ---


def lexicon():
    """One row per word: polarity, subjectivity, intensity (averaged over its senses), and whether it is an adverb."""
    len(words_of_pattern)  # it loads itself when first asked
    for word, senses in sorted(words_of_pattern.items()):
        averages = "\t".join(repr(float(figure)) for figure in senses[None])
        yield f"{word}\t{averages}\t{int('RB' in senses)}"


# --- generated texts ---

SPACES = [" "] * 30 + ["  ", "\n", "\n\n", "\r\n", "\r\n\r\n", "\n\r\n", "\r", "\n \n", "\t", "\x0b", "\x0c", "\x1c", "\x1f", "\x85"]
SPACES += ["\xa0", "\u1680", "\u2003", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\r\r\n\n"]
GLUE = ["", "", "", "-", "/", "\u200b", "\u200d", "\ufeff", "\u180e", "\x00", "\x7f", "\u2060", "…", "'", "’", ".", "n't", "_"]
QUOTES = ["'", '"', "“", "”", "‘", "’", "`", "´", "«", "»", "''", "``"]
RUNS = [".", ",", "!", "?", "...", "..", "....", "(!)", "( ! )", "(! )", "(\n\n!)", "!!", "!!!", "?!", "!?", ":", ";", "-", "--", "—"]
RUNS += ["*", "**", "#", "@", "$", "%", "&", "(", ")", "[", "]", "{", "}", "<", ">", "/", "\\", "|", "~", "=", "+", "_", "^", "°"]
SMALL = ["a", "an", "the", "so", "is", "it", "I", "to", "do", "max", "x", "X", "o", "8", "D", "P", "c", "b", "p", "s", "S", "O", "3"]
SMALL += ["n", "t", "really", "İ", "ſ", "K", "Σ", "ß", "é", "日本", "да", "ok", "oK", "oK", "END-OF-SENTENCE", "end-of-sentence", "2nd", "13th"]
NEGATIONS = ["no", "not", "never", "No", "NOT", "Never", "n't", "don't", "can't", "isn't", "DON'T", "wasn’t", "won't've", "n't n't", "nor", "none"]
MODIFIERS = ["very", "real", "really", "especially", "excruciatingly", "extremely", "so", "quite", "absolutely", "Very", "REALLY", "hardly", "n'tvery"]
CONTRACTIONS = ["it's", "I'm", "I'd", "we'll", "they're", "I've", "y'all", "'tis", "rock'n'roll", "it’s", "n'tn't", "'s", "'d", "an't", "n''t"]
ABBREVIATIONS = sorted(pattern.ABBREVIATIONS) + ["U.S.", "U.S", "u.s.a.", "T.", "Ss.", "Sts.", "A|.", "B|c|.", "|.", "Dr..", "etc...", "etc..", "e.g.,", "a.1.", "é.", "Mr.!"]
WEB = ["http://t.co/a1XxD", "https://x.co/?a=b&c=d", "@user", "#happy", "#bad!", "www.great.com", "me@mail.com", "&amp;", "&lt;3", "&gt;:D", "10:30", "3.5", ".5", "1,000", "50%", "$5"]
EMOJI = ["😀", "😍😍", "❤️", "👍🏽", "👨‍👩‍👧", "♥", "♥♥", "☺", "🇺🇸", "\u0301", "e\u0301", "\U000e0041", "́", "𝐠𝐨𝐨𝐝", "ｇｏｏｄ"]
EMOTICONS = sorted(e for faces in pattern.EMOTICONS.values() for e in faces)
ANY = [chr(c) for c in range(0x00, 0x180)]


class Texts:
    """A stream of texts made to hurt: everything that a rule could stumble on, in random company."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.words = sorted(words_of_pattern.keys())
        self.strong = [w for w in self.words if abs(words_of_pattern[w][None][0]) > 0.3]
        self.adverbs = [w for w in self.words if "RB" in words_of_pattern[w]]
        self.kinds = [self.words, self.strong, self.strong, self.adverbs, NEGATIONS, MODIFIERS, SMALL, CONTRACTIONS, ABBREVIATIONS]
        self.kinds += [WEB, EMOJI, EMOTICONS, EMOTICONS, RUNS, RUNS, QUOTES, ANY]
        self.faces = [c for e in EMOTICONS for c in e] + ["(", "!", ")", ".", "o", "x", "8", "D"]

    def one(self):
        """The next text."""
        roll = self.random.random()
        if roll < 0.15:
            return self.of_faces()
        if roll < 0.25:
            return self.of_rules()
        if roll < 0.27:
            return "".join(chr(self.scalar()) for _ in range(self.random.randrange(40)))
        return "".join(self.piece() for _ in range(self.random.randrange(1, 24)))

    def piece(self):
        r = self.random
        piece = r.choice(r.choice(self.kinds))
        roll = r.random()
        if roll < 0.05:
            piece = piece.upper()
        elif roll < 0.12:
            piece = piece.capitalize()
        elif roll < 0.14:
            piece = piece.replace("k", "\u212a").replace("i", "İ", 1)
        elif roll < 0.17:
            at = r.randrange(len(piece) + 1)
            piece = piece[:at] + r.choice(GLUE + RUNS) + piece[at:]
        elif roll < 0.19:
            piece = " ".join(piece)
        elif roll < 0.30:
            piece += "".join(r.choice(RUNS) for _ in range(r.randrange(1, 4)))
        elif roll < 0.34:
            piece = "".join(r.choice(RUNS) for _ in range(r.randrange(1, 4))) + piece
        return piece + (r.choice(SPACES) if r.random() < 0.86 else r.choice(GLUE))

    def of_faces(self):
        """The characters of emoticons, torn apart and glued together."""
        r = self.random
        return "".join(r.choice(self.faces) + r.choice(["", "", " ", " ", "\n\n"] if r.random() < 0.7 else SPACES) for _ in range(r.randrange(1, 30)))

    def of_rules(self):
        """Known words with what changes them, and little else."""
        r = self.random
        kinds = [self.strong, self.strong, self.adverbs, NEGATIONS, MODIFIERS, ["!", "(!)", "a", "is", "the", ":)", ":(", "at"]]
        return " ".join(r.choice(r.choice(kinds)) for _ in range(r.randrange(1, 14)))

    def scalar(self):
        c = self.random.choice([self.random.randrange(0x250), self.random.randrange(0x2000, 0x2100), self.random.randrange(0x110000)])
        return c if not 0xD800 <= c <= 0xDFFF else 0x20


# --- texts from files ---


def texts_of(path):
    """The texts of a file: JSON lines with `text`, or a table with any columns (its lines are the texts)."""
    with open(path, encoding="utf-8", newline="") as file:
        if path.endswith(".jsonl"):
            yield from (json.loads(line)["text"] for line in file)
        elif path.endswith(".csv"):
            yield from (row["text"] for row in csv.DictReader(file))
        else:
            yield from (line.rstrip("\r\n") for line in file)


# --- the commands ---


def spelled(text):
    return json.dumps(text, ensure_ascii=False)


def golden(options):
    texts = Texts(options.seed)
    for _ in range(options.texts):
        text = texts.one()
        polarity, subjectivity = figures(text)
        print(repr(polarity), repr(subjectivity), spelled(text), sep="\t")


def compare(task):
    """Ask the binary about the texts of one task, and print what differs."""
    binary, name, texts = task
    if isinstance(texts, tuple):
        seed, count = texts
        source = Texts(seed)
        texts = [source.one() for _ in range(count)]
    asked = "".join(spelled(text) + "\n" for text in texts)
    answer = subprocess.run([binary], input=asked.encode(), capture_output=True, check=True).stdout.decode()
    lines = answer.splitlines()
    if len(lines) != len(texts):
        sys.exit(f"{name}: {len(texts)} texts went in, {len(lines)} answers came out")
    wrong = [(t, figures(t), line) for t, line in zip(texts, lines) if [repr(f) for f in figures(t)] != [repr(float(f)) for f in line.split("\t")]]
    return name, len(texts), wrong


def diff(options):
    tasks = [(options.binary, path, list(texts_of(path))) for path in options.file]
    if not options.file:
        size = 10_000
        tasks = [(options.binary, f"seed {options.seed + i}", (options.seed + i, size)) for i in range(-(-options.texts // size))]
    seen = differ = 0
    with ProcessPoolExecutor(options.processes) as pool:
        for name, count, wrong in pool.map(compare, tasks):
            seen, differ = seen + count, differ + len(wrong)
            for text, expected, got in wrong[: options.show]:
                print(f"{name}: {spelled(text)}\n  python {expected}\n  ours   {got}")
    print(f"{seen} texts, {differ} differ")
    return 1 if differ else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("lexicon")
    command = commands.add_parser("golden")
    command.add_argument("--texts", type=int, default=6_000)
    command.add_argument("--seed", type=int, default=2026)
    command = commands.add_parser("diff")
    command.add_argument("--binary", required=True)
    command.add_argument("--texts", type=int, default=100_000)
    command.add_argument("--file", action="append", default=[])
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--processes", type=int, default=2)
    command.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    if version("textblob") != PINNED:
        sys.exit(f"this is textblob {version('textblob')}; install textblob=={PINNED}")
    len(words_of_pattern)
    if options.command == "lexicon":
        print("\n".join(lexicon()))
    elif options.command == "golden":
        golden(options)
    else:
        sys.exit(diff(options))


if __name__ == "__main__":
    main()
