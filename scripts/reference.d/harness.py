"""Ask a model's Python package and its Rust twin for the scores of the same texts.

A model is a Python module `MODEL_model.py` beside this one with `PACKAGE` (the name of its package), `scores(text)` and
`Texts(seed).one()` (the next of a stream of generated texts). Its twin is the example `scores` of the crate
moodring-score, which gets the name of the model: a text as a JSON string per line in, its scores with tabs between them
out. Scores are compared by their shortest spelling, hence bit for bit, the sign of zero included.
"""

import csv
import importlib
import json
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor

CHUNK = 10_000


def module(model):
    return importlib.import_module(f"{model}_model")


def spelled(text):
    """The text as a JSON string, which has no line feed in it."""
    return json.dumps(text, ensure_ascii=False)


def golden(model, count, seed, folder):
    """Write what the tests of the model expect, to be committed: `MODEL.tsv` has scores of generated texts and the text."""
    reference = module(model)
    texts = reference.Texts(seed)
    rows = []
    for _ in range(count):
        text = texts.one()
        rows.append("\t".join([*map(repr, reference.scores(text)), spelled(text)]))
    write(folder / f"{model}.tsv", rows)
    if hasattr(reference, "unicode_golden"):
        write(folder / f"{model}_unicode.tsv", reference.unicode_golden())


def write(path, rows):
    path.write_text("".join(row + "\n" for row in rows), encoding="utf-8", newline="\n")
    print(f"{path}: {len(rows)} rows")


def texts_of(path):
    """The texts of a file: the field `text` of JSON lines or CSV; else its lines, whole, and each of their columns."""
    with open(path, encoding="utf-8", newline="") as file:
        if path.endswith(".jsonl"):
            yield from (json.loads(line)["text"] for line in file)
        elif path.endswith(".csv"):
            yield from (row["text"] for row in csv.DictReader(file))
        else:
            for line in file:
                line = line.rstrip("\r\n")
                yield from [line, *(line.split("\t") if "\t" in line else [])]


def tasks_of(model, binary, files, count, seed):
    for path in files:
        texts = list(texts_of(path))
        for at in range(0, len(texts), CHUNK):
            yield model, binary, path, texts[at : at + CHUNK]
    for at in range(0, count, CHUNK):
        yield model, binary, f"seed {seed + at // CHUNK}", (seed + at // CHUNK, min(CHUNK, count - at))


def compare(task):
    """The name and number of texts of one task, and those whose scores differ."""
    model, binary, name, texts = task
    reference = module(model)
    if isinstance(texts, tuple):
        source = reference.Texts(texts[0])
        texts = [source.one() for _ in range(texts[1])]
    asked = "".join(spelled(text) + "\n" for text in texts)
    answer = subprocess.run([binary, model], input=asked.encode(), capture_output=True, check=True).stdout
    lines = answer.decode().splitlines()
    if len(lines) != len(texts):
        sys.exit(f"{name}: {len(texts)} texts went in, {len(lines)} answers came out")
    wrong = []
    for text, line in zip(texts, lines):
        expected = [repr(score) for score in reference.scores(text)]
        if expected != [repr(float(score)) for score in line.split("\t")]:
            wrong.append((text, expected, line.split("\t")))
    return name, len(texts), wrong


def diff(model, binary, files, count, seed, processes, show=5):
    """Compare, print the first differences and the number of all, and return that number."""
    seen = differ = 0
    with ProcessPoolExecutor(processes) as pool:
        for name, number, wrong in pool.map(compare, tasks_of(model, binary, files, count, seed)):
            for text, expected, got in wrong[: max(0, show - differ)]:
                print(f"{name}: {spelled(text)}\n  python {' '.join(expected)}\n  rust   {' '.join(got)}", flush=True)
            seen, differ = seen + number, differ + len(wrong)
    print(f"{model}: {seen} texts, {differ} differ")
    return differ
