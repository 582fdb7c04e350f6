#!/usr/bin/env python3
"""What people build for live sentiment today: asyncio, a multiprocessing.Pool, VADER, and a dict of windows.

Reads JSON lines with `text` and `time` from a file or, as `-`, from standard input, in batches of 500. Each batch is
scored by the Pool while the loop reads on; at most eight batches are under way. The event loop folds the scores into
windows of a minute. The last line on standard error is `records=N seconds=S windows=W`, without the start of the
interpreter and the Pool. Nothing survives its end.

Needs vaderSentiment==3.3.2.
"""

import argparse
import asyncio
import json
import multiprocessing
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

BATCH, UNDER_WAY = 500, 8
polarity_scores = None


def load():
    """Loads the model, once for all processes."""
    global polarity_scores
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    polarity_scores = SentimentIntensityAnalyzer().polarity_scores


def score(lines):
    """The minute and score of each post."""
    scored = []
    for line in lines:
        post = json.loads(line)
        at = post["time"]
        seconds = at if isinstance(at, (int, float)) else datetime.fromisoformat(at).timestamp()
        scored.append((int(seconds) // 60, polarity_scores(post["text"])["compound"]))
    return scored


async def pipeline(lines, pool):
    """Reads, scores and folds until the input ends."""
    loop, windows, count = asyncio.get_running_loop(), {}, 0
    room = asyncio.Semaphore(UNDER_WAY)
    reader = ThreadPoolExecutor(1)

    async def fold(batch):
        nonlocal count
        done = loop.create_future()
        answer = lambda scored: loop.call_soon_threadsafe(done.set_result, scored)
        pool.apply_async(score, (batch,), callback=answer)
        for minute, compound in await done:
            window = windows.setdefault(minute, [0, 0.0])
            window[0] += 1
            window[1] += compound
            count += 1
        room.release()

    read = lambda: [line for _, line in zip(range(BATCH), lines)]
    tasks = set()
    while batch := await loop.run_in_executor(reader, read):
        await room.acquire()
        task = asyncio.create_task(fold(batch))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    return count, len(windows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("processes", type=int)
    options = parser.parse_args()
    load()
    lines = sys.stdin if options.input == "-" else open(options.input, encoding="utf-8")
    with lines, multiprocessing.get_context("fork").Pool(options.processes) as pool:
        began = time.perf_counter()
        records, windows = asyncio.run(pipeline(lines, pool))
        seconds = time.perf_counter() - began
    print(f"records={records} seconds={seconds:.3f} windows={windows}", file=sys.stderr)


if __name__ == "__main__":
    main()
