#!/usr/bin/env python3
"""The program that moodring replaces: Python's multiprocessing.Pool, scoring a file of JSON lines.

Reads one object a line, scores its `text`, adds the scores under the model's name and writes the objects in the order
of the input. The last line on standard error is `records=N seconds=S`, without the start of the interpreter.

Needs vaderSentiment==3.3.2 or textblob==0.20.1.
"""

import argparse
import functools
import json
import multiprocessing
import sys
import time

score = None


def load(model):
    """Loads the model."""
    global score
    if model == "vader":
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        score = SentimentIntensityAnalyzer().polarity_scores
    else:
        from textblob import TextBlob

        score = lambda text: TextBlob(text).sentiment._asdict()


def scored(model, line):
    post = json.loads(line)
    post[model] = score(post["text"])
    return json.dumps(post, ensure_ascii=False) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=["vader", "textblob"])
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("processes", type=int)
    parser.add_argument("chunk", type=int, nargs="?", default=1000, help="posts in a task (default %(default)s)")
    options = parser.parse_args()

    # Loaded before the fork, which the workers share. A package that is missing ends the program here; in a worker's
    # initializer the error would make the Pool start workers for ever.
    load(options.model)
    began, records = time.perf_counter(), 0
    with (
        open(options.input, encoding="utf-8") as lines,
        open(options.output, "w", encoding="utf-8") as out,
        multiprocessing.get_context("fork").Pool(options.processes) as pool,
    ):
        for line in pool.imap(functools.partial(scored, options.model), lines, options.chunk):
            out.write(line)
            records += 1
    print(f"records={records} seconds={time.perf_counter() - began:.3f}", file=sys.stderr)


if __name__ == "__main__":
    main()
