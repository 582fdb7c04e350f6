"""Standard streams that are closed, full or never read, and runs that are stopped for a while."""

import itertools
import json
import os
import signal
import time

from stage import children, kill, remove, results, told


class Streams:
    """Opens what a standard stream may be, and closes it again."""

    def __init__(self):
        self.opened = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for descriptor in self.opened:
            os.close(descriptor)

    def output(self, state):
        """A descriptor to write to: `gone` is a pipe whose reader has left, `unread` one whose reader never reads."""
        if state in ("gone", "unread"):
            reader, writer = os.pipe()
            self.opened.append(writer)
            if state == "gone":
                os.close(reader)
            else:
                self.opened.append(reader)
            return writer
        self.opened.append(os.open("/dev/full" if state == "full" else os.devnull, os.O_WRONLY))
        return self.opened[-1]

    def input(self, path):
        self.opened.append(os.open(path, os.O_RDONLY))
        return self.opened[-1]


def close(*numbers):
    """Closes standard streams, in the process that is about to start."""

    def closing():
        for number in numbers:
            os.close(number)

    return closing


def stdio(stage):
    """Standard streams closed, full, gone or never read, in all combinations: complete output, or an error and none"""
    folder = stage.folder / "stdio"
    posts = stage.mixed(folder, 600)
    out = folder / "out.jsonl"
    to_file = ["score", "-o", out, "--workers", 2]
    streamed = ["-", "--format", "jsonl"]
    expected, wrong, rounds = {}, [], 0
    for stdin, source in [("posts", streamed), ("null", [posts])]:
        with posts.open("rb") as opened:
            stage.trial([*to_file, *source], out, None, stdin=opened)
        # The rejects name their source.
        expected[stdin] = results(out)
        remove(out)
    expected["closed"] = expected["null"]
    states = ["null", "closed", "full", "gone", "unread"]

    def attempt(arguments, stdin, stdout, stderr, wanted):
        nonlocal rounds
        rounds += 1
        remove(out)
        with Streams() as streams:
            options = {
                "stdin": streams.input(posts if stdin == "posts" else os.devnull),
                "stdout": streams.output(stdout),
                "preexec_fn": close(*[at for at, state in enumerate([stdin, stdout, stderr]) if state == "closed"]),
            }
            if stderr != "heard":
                options["stderr"] = streams.output(stderr)
            complaint, code, said = stage.trial(arguments, out, expected[stdin], limit=30, **options)
        if "-o" not in arguments and code == 0:
            complaint = ""
        if not complaint and wanted is not None and code not in wanted:
            complaint = f"exit {code}, not {' or '.join(map(str, wanted))}: {said.strip()[-150:]}"
        if complaint:
            command = " ".join(map(str, arguments)).replace(str(folder), ".")
            wrong.append(f"{command} with input {stdin}, output {stdout}, errors {stderr}: {complaint}")

    combinations = list(itertools.product(["null", "closed", "posts"], states, states + ["heard"]))
    if stage.short:
        combinations = stage.dice("stdio").sample(combinations, 10)
    for stdin, stdout, stderr in combinations:
        attempt([*to_file, *(streamed if stdin == "posts" else [posts])], stdin, stdout, stderr, [0])
    for stderr in ["null", "closed", "full", "gone"]:
        attempt([*to_file, posts, "--log-level", "debug"], "null", "null", stderr, [0])
    # What is printed to standard output and cannot be must not end in success, except where a reader has left.
    printing = [
        ["score", posts, "--workers", 2],
        [*to_file, posts, "--summary", "json"],
        ["explain", "a good day"],
        ["ctl", "status", "--json"],
        ["--help"],
    ]
    for arguments, stderr in itertools.product(printing, ["heard"] if stage.short else ["heard", "full", "closed", "gone"]):
        attempt(arguments, "null", "full", stderr, None if arguments[0] in ("ctl", "--help") else range(1, 100))
        attempt(arguments, "null", "gone", stderr, None)
        attempt(arguments, "closed", "closed", stderr, None)
    attempt(["score", *streamed, "--workers", 2], "closed", "null", "heard", None)
    return told(wrong, rounds, "runs")


def stopped(stage):
    """SIGSTOP of the supervisor, or of the whole run, for longer than --record-timeout, then SIGCONT: nobody is killed"""
    posts, timeout = stage.posts(60_000 if stage.short else 400_000), 1.0
    expected = stage.calm(posts)
    chance, rounds, wrong = stage.dice("stopped"), 2 if stage.short else 20, []
    for at in range(rounds):
        out = stage.fresh("stopped.jsonl")
        arguments = ["score", posts, "-o", out, "--workers", 2, "--record-timeout", timeout, "--summary", "json"]
        process = stage.start(arguments, stdout=-1)
        time.sleep(chance.random() * (0.5 if at % 4 < 2 else 0.05))
        everyone = [process.pid, *children(process.pid)] if at % 2 else [process.pid]
        for pid in everyone:
            kill(pid, signal.SIGSTOP)
        time.sleep(1.5 * timeout)
        for pid in reversed(everyone):
            kill(pid, signal.SIGCONT)
        summary, said = process.communicate()
        what = f"round {at}, {'all of it' if at % 2 else 'the supervisor'} stopped"
        if process.returncode:
            wrong.append(f"{what}: exit {process.returncode}: {said.decode(errors='replace')[-200:]}")
            continue
        if results(out)[""] != expected:
            wrong.append(f"{what}: other bytes")
        if restarts := json.loads(summary)["restarts"]:
            wrong.append(f"{what}: {restarts} workers were replaced")
    return told(wrong, rounds, f"stops of {1.5 * timeout:.1f} s")
