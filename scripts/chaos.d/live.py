"""What a live run promises: no post lost and none counted twice, whatever dies and however often."""

import contextlib
import csv
import http.client
import io
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import threading
import time

import power as disk
from stage import ROOT, children, kill, killpg, told

START = 1_790_000_000


def recorded(stage, count):
    """A recording of `count` posts: a second of event time holds ten of them, and some are a little out of order."""
    path = stage.folder / f"recorded-{count}.jsonl"
    if not path.exists():
        dice = stage.dice("recorded")
        texts = [json.loads(line)["text"] for line in (ROOT / "samples" / "posts.jsonl").open()]
        with path.open("w") as file:
            for at in range(count):
                time_of = START + at / 10 + dice.uniform(-4, 4)
                post = {"id": at, "time": round(time_of, 3), "text": texts[at % len(texts)], "user": f"u{at % 7}"}
                file.write(json.dumps(post) + "\n")
    return path


def arguments(source, state, *more):
    flags = ["--time-field", "time", "--id-field", "id", "--window", "1m", "--slide", "20s", "--group-by", "all"]
    return ["live", "--source", source, "--until-end", "--state", state, *flags, "--group-by", "field:user", *more]


def query(stage, state, *more):
    """The rows that a query gives."""
    command = [stage.binary, "query", state, "--format", "csv", *more]
    done = subprocess.run(command, env=stage.environment, capture_output=True, text=True)
    if done.returncode:
        return [done.stderr.strip()]
    return sorted(csv.DictReader(io.StringIO(done.stdout)), key=lambda row: tuple(row.items()))


def found(stage, state):
    """All windows of both groupings, and what became of the posts."""
    books = [{name: value for name, value in row.items() if name not in ("position", "state", "why")}
             if isinstance(row, dict) else row for row in query(stage, state, "sources")]
    # In windows of a minute, as panes are rolled up to that when they are old.
    minute = ["--window", "1m"]
    return query(stage, state, *minute), query(stage, state, *minute, "--group-by", "field:user"), books


def state_in(stage, name):
    """A name for a state in a folder of its own."""
    folder = stage.folder / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder / "state.db"


def calm(stage, posts):
    state = state_in(stage, "calm-live")
    code, seconds, said = stage.run(arguments(f"replay:{posts}?speed=max", state, "--workers", 2))
    if code:
        raise SystemExit(f"chaos: a calm live run failed with {code}: {said}")
    return found(stage, state), seconds


def live(stage):
    """SIGKILL the supervisor of a live run at random points, and workers meanwhile: the same windows and counts"""
    rounds, dice = (6 if stage.short else 50), stage.dice("live")
    posts = recorded(stage, 20_000 if stage.short else 200_000)
    expected, seconds = calm(stage, posts)
    wrong = []
    for at in range(rounds):
        state, kills, workers = state_in(stage, "killed-live"), 0, [1, 2, 5][at % 3]
        source = [f"replay:{posts}?speed=max", f"file:{posts}?follow=no"][at % 2]
        command = arguments(source, state, "--workers", workers, "--max-crashes", 10**6)
        # In the order of the file some posts would be late; with this lateness none is.
        command += ["--lateness", "1h"] if at % 2 else []
        ends_at_last = time.monotonic() + 120
        while True:
            process = stage.start(command)
            last = kills >= 5
            ends = ends_at_last if last else time.monotonic() + dice.uniform(0.05, 1) * seconds
            while process.poll() is None and time.monotonic() < ends:
                # A worker needs the time to do something; the last run is left in peace.
                with contextlib.suppress(IndexError):
                    if not last:
                        kill(dice.choice(children(process.pid)))
                time.sleep(0.02 * stage.patience)
            if process.poll() is not None or last:
                break
            kill(process.pid)
            process.communicate()
            kills += 1
        if process.poll() is None:
            kill(process.pid)
            wrong.append(f"round {at}: did not end")
        said = process.communicate()[1].decode(errors="replace")
        if process.returncode:
            wrong.append(f"round {at}: exit {process.returncode}: {said[-200:]}")
            continue
        seen = found(stage, state)
        if at % 2:
            # The source has another name.
            seen, known = seen[:2], expected[:2]
        else:
            known = expected
        if seen != known:
            wrong.append(f"round {at}: {difference(seen, known)}")
    return told(wrong, rounds, "runs with kills")


def difference(seen, known):
    for name, one, other in zip(["windows", "windows of users", "counts"], seen, known):
        if one != other:
            both = [row for row in one if row not in other][:1], [row for row in other if row not in one][:1]
            return f"other {name}: {both[0]} instead of {both[1]}"
    return "nothing"


def power(stage):
    """Loss of power at random points, of all that was not forced to the disk: the same windows and counts afterwards"""
    if not shutil.which("strace"):
        return True, "skipped: strace is not installed"
    points = 8 if stage.short else 200
    posts = recorded(stage, 20_000)
    expected, _ = calm(stage, posts)
    state, log = state_in(stage, "powered"), stage.folder / "powered.log"
    # At a pace that leaves time for several commits.
    command = [stage.binary, *arguments(f"replay:{posts}?speed=400", state, "--workers", 2)]
    before = disk.Disk(state.parent)
    recording = disk.record(command, stage.environment, log, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = recording.communicate()[1].decode(errors="replace")
    if recording.returncode:
        return False, f"the run under strace failed with {recording.returncode}: {said[-300:]}"
    wrong, done = [], 0
    for survivor in disk.losses(before, log, points, stage.dice("power")):
        left = state_in(stage, "survived")
        survivor.restore(left.parent)
        done += 1
        code, _, said = stage.run(arguments(f"replay:{posts}?speed=max", left, "--workers", 2))
        # The two speeds are options of the same source.
        if code:
            wrong.append(f"point {done}: exit {code}: {said[-200:]}")
        elif (seen := found(stage, left)) != expected:
            wrong.append(f"point {done}: {difference(seen, expected)}")
    return told(wrong, done, "losses of power")
