#!/usr/bin/env python3
"""One-thread speed of the Python packages that moodring's models follow, on the texts of a file of JSON lines.

Prints a line for each package that is installed: its name and the posts/s of its best round.
"""

import argparse
import json
import sys
import time


def packages():
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        yield "python-vader", SentimentIntensityAnalyzer().polarity_scores
    except ImportError:
        print("without vaderSentiment, which this Python does not have", file=sys.stderr)
    try:
        from textblob import TextBlob

        yield "python-textblob", lambda text: TextBlob(text).sentiment
    except ImportError:
        print("without textblob, which this Python does not have", file=sys.stderr)


def seconds(score, texts):
    began = time.perf_counter()
    for text in texts:
        score(text)
    return time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("rounds", type=int, nargs="?", default=2)
    options = parser.parse_args()
    with open(options.file, encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines]
    for name, score in packages():
        score("The first call loads what is loaded late.")
        best = min(seconds(score, texts) for _ in range(options.rounds))
        print(f"{name} {len(texts) / best:.0f}", flush=True)


if __name__ == "__main__":
    main()
