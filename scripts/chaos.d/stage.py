"""What every test needs: a folder, the binary, posts to score, and looks at processes."""

import contextlib
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class Stage:
    """A folder, the binary, and posts of any number, made once."""

    def __init__(self, folder, binary, short, seed=7):
        self.folder, self.binary, self.short = pathlib.Path(folder), binary, short
        # A little of everything is for whether things work, on any machine, and however busy it is; how fast they do is
        # for the whole.
        self.patience = 10 if short else 1
        self.seed, self.chance = seed, random.Random(seed)
        self.calm_outputs = {}
        self.environment = dict(os.environ, XDG_RUNTIME_DIR=str(self.folder))

    def posts(self, count):
        """A file of so many posts, those of the sample again and again with fresh ids."""
        path = self.folder / f"posts-{count}.jsonl"
        if not path.exists():
            sample = (ROOT / "samples" / "posts.jsonl").read_text().splitlines()
            texts = [json.dumps(json.loads(line)["text"]) for line in sample]
            with path.open("w") as file:
                for at in range(count):
                    file.write('{"id": %d, "text": %s}\n' % (at, texts[at % len(texts)]))
        return path

    def start(self, arguments, faults=None, **options):
        environment = dict(self.environment, **({"MOODRING_FAULTS": faults} if faults else {}))
        options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
        return subprocess.Popen([self.binary, *map(str, arguments)], env=environment, cwd=self.folder, **options)

    def run(self, arguments, faults=None, limit=120):
        """Runs to the end; gives the exit code, the seconds it took, and what it said."""
        began = time.perf_counter()
        process = self.start(arguments, faults)
        try:
            said = process.communicate(timeout=limit)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[1].decode(errors="replace") + f"\nended after {limit} s"
        return process.returncode, time.perf_counter() - began, said

    def calm(self, posts, *arguments, extension="jsonl"):
        """The digest of the output of a calm run."""
        key = (posts, arguments, extension)
        if key not in self.calm_outputs:
            out = self.fresh(f"calm.{extension}")
            code, _, said = self.run(["score", posts, "-o", out, *arguments, "--quiet"])
            if code:
                sys.exit(f"chaos: a calm run failed with {code}: {said}")
            self.calm_outputs[key] = digest(out)
        return self.calm_outputs[key]

    def dice(self, name):
        """Randomness for one test, whichever others run before it."""
        return random.Random(f"{self.seed} {name}")

    def mixed(self, folder, count, *poison):
        """A file of `count` posts in a folder of its own: one in 97 is malformed, and those numbered in `poison` kill."""
        folder.mkdir(exist_ok=True)
        path = folder / f"mixed-{count}.jsonl"
        with path.open("w") as file:
            for at, line in enumerate(self.posts(count).open()):
                if at in poison:
                    line = '{"id": %d, "text": "POISON"}\n' % at
                file.write(line if at % 97 else '{"id": %d, "txt": 1}\n' % at)
        return path

    def trial(self, arguments, out, expected, limit=60, wrap=(), memory=False, **options):
        """A run that something is done to, or a calm one if nothing is expected yet. Returns what is wrong with how it ended (empty if nothing is), its exit code,
        and what it said.

        It may succeed with the expected files or fail with an error message, within `limit` seconds. One that may lack
        memory (`memory`) may abort as well, because the standard library does. It may not leave
        processes, or anything else than the expected bytes under the output's name.
        """
        environment = dict(self.environment, **options.pop("environment", {}))
        heard = self.folder / "heard"
        with heard.open("wb") as stderr:
            options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": stderr, "cwd": self.folder} | options
            command = [*map(str, wrap), self.binary, *map(str, arguments)]
            process = subprocess.Popen(command, env=environment, start_new_session=True, **options)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            killpg(process.pid)
            process.wait()
            return f"still running after {limit} s", None, heard.read_text(errors="replace")
        # A program that runs it passes a death by a signal on as the shell does.
        code = 128 - code if code < 0 else code
        said = heard.read_text(errors="replace")
        return self.complaint(process.pid, code, said, out, expected, memory, stderr=options["stderr"] is stderr), code, said

    def complaint(self, group, code, said, out, expected, memory, stderr):
        ends = time.monotonic() + 2 * self.patience
        while group_exists(group):
            if time.monotonic() > ends:
                killpg(group)
                return "processes are left"
            time.sleep(0.005)
        found = results(out)
        if code == 0:
            return "" if expected in (None, found) else f"exit 0 with other bytes: {difference(found, expected)}"
        if expected and found.get("", expected[""]) != expected[""]:
            return f"exit {code}, but other bytes under the output's name"
        panic = " ".join(said[max(0, said.find("panicked at")) :][:300].split())
        if code == 101 and not memory:
            return f"a panic: {panic}"
        if code > 128 and not (memory and code == 128 + signal.SIGABRT):
            return f"died of signal {code - 128}: {panic}"
        return "" if said.strip() or not stderr else f"exit {code} without a word"

    def fresh(self, name):
        """A name in the folder that nothing has."""
        for path in self.folder.glob(name + "*"):
            path.unlink()
        return self.folder / name


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


SIDES = ["", ".rejects.jsonl", ".quarantine.jsonl"]


def results(out):
    """The digests of the files that a run leaves, by what is added to the output's name."""
    paths = {side: pathlib.Path(f"{out}{side}") for side in SIDES}
    return {side: digest(path) for side, path in paths.items() if path.exists()}


def difference(found, expected):
    """How the files that a run left differ from those expected."""
    names = [side or "the output" for side in SIDES if found.get(side) != expected.get(side)]
    return ", ".join(names)


def remove(out):
    """Removes an output and all that a run leaves beside it."""
    for path in out.parent.glob(out.name + "*"):
        path.unlink()


def group_exists(group):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, 0)
        return True
    return False


def killpg(group):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def told(wrong, total, what):
    """The verdict of a test of many runs, and what was seen; of what went wrong the first few."""
    seen = f"{total} {what}: {len(wrong)} wrong"
    return not wrong, seen + "".join(f"\n{'':17}{each}" for each in wrong[:6])


def children(pid):
    """The live children of a process."""
    found = []
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += map(int, (task / "children").read_text().split())
    return [child for child in found if alive(child)]


def alive(pid):
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kill(pid, number=signal.SIGKILL):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def status_field(pid, field):
    """A figure of /proc/PID/status, in its own unit."""
    with contextlib.suppress(OSError):
        found = re.search(rf"^{field}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
        if found:
            return int(found[1])
    return 0


def quarantined(out):
    path = pathlib.Path(f"{out}.quarantine.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def raw_children(pid):
    found = []
    with contextlib.suppress(OSError):
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += (task / "children").read_text().split()
    return found


def is_worker(pid, states="SR"):
    """Whether a process has the name that a worker gives itself, and is in one of these states."""
    with contextlib.suppress(OSError):
        text = pathlib.Path(f"/proc/{pid}/stat").read_text()
        return "(moodring-worker)" in text and text.rpartition(")")[2].split()[0] in states
    return False
