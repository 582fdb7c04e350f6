"""What a killed run leaves, damaged before it is resumed; and kills of workers that compress."""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from refusals import launcher
from stage import children, digest, kill, remove, results, told

RENAMES = ["rename", "renameat", "renameat2"]


def packed(stage):
    """SIGKILL a random worker every 50 ms for 60 s, output .jsonl.gz, .csv.zst, .csv.gz and .jsonl.zst in turn"""
    posts = stage.posts(5_000 if stage.short else 200_000)
    chance, ends = stage.dice("packed"), time.monotonic() + (3 if stage.short else 60)
    # Compression takes a debug build long, and twenty deaths on a shard end a run.
    size = "16K" if stage.short else "64K"
    runs = deaths = 0
    wrong = []
    while time.monotonic() < ends:
        extension = ["jsonl.gz", "csv.zst", "csv.gz", "jsonl.zst"][runs % 4]
        expected = stage.calm(posts, "--shard-size", size, extension=extension)
        out = stage.fresh(f"packed.{extension}")
        arguments = ["score", posts, "-o", out, "--workers", 4, "--quiet", "--shard-size", size]
        process = stage.start(arguments, stderr=subprocess.PIPE)
        while process.poll() is None:
            if workers := children(process.pid):
                kill(chance.choice(workers))
                deaths += 1
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.2 if stage.short else 0.05)
        said = process.communicate()[1].decode(errors="replace").strip()
        runs += 1
        if process.returncode:
            wrong.append(f"{extension}: exit {process.returncode}: {said[-200:]}")
        elif digest(out) != expected:
            wrong.append(f"{extension}: other bytes")
    return told(wrong, runs, f"runs, {deaths} kills")


class Scene:
    """A run that was killed: what it left, and what a calm run leaves."""

    def __init__(self, stage, name, extension, moment):
        self.moment = moment
        count, size = (6_000, "16K") if stage.short else (60_000, "64K")
        self.folder = stage.folder / f"tampered-{name}"
        self.input = stage.mixed(self.folder, count, 200, 700)
        self.out = self.folder / f"out.{extension}"
        self.arguments = ["score", self.input, "-o", self.out, "--workers", 2, "--quiet", "--shard-size", size]
        self.environment = {"MOODRING_FAULTS": "segv=POISON"}
        code, _, said = stage.run(self.arguments, self.environment["MOODRING_FAULTS"])
        assert code == 0, said
        self.expected = results(self.out)
        remove(self.out)
        for time_of_death in range(1, 20):
            if self.kill(stage, time_of_death):
                break
            remove(self.out)
        else:
            raise AssertionError(f"no run could be killed when it was {moment}")
        paths = self.out.parent.glob(self.out.name + "*")
        self.files = {path.name: path.read_bytes() for path in paths if path.stat().st_size}

    def journal(self):
        with contextlib.suppress(OSError):
            return pathlib.Path(f"{self.out}.journal").read_bytes()
        return b""

    def kill(self, stage, attempt):
        """Runs until the moment has come and kills the run; whether that worked."""
        if self.moment == "complete":
            wrap = [*launcher(stage, 1, "supervisor"), *[f"{call}=kill@{attempt}" for call in RENAMES], "--"]
            command = [*map(str, wrap), stage.binary, *map(str, self.arguments)]
            environment = dict(stage.environment, **self.environment)
            subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            return b'complete' in self.journal()
        process = stage.start(self.arguments, self.environment["MOODRING_FAULTS"], stderr=subprocess.DEVNULL)
        wanted = 2 + attempt
        while process.poll() is None and self.journal().count(b'{"done"') < wanted:
            time.sleep(0.001)
        if self.moment == "old":
            # Every five seconds all files are forced to the disk.
            workers = children(process.pid)
            for worker in workers:
                kill(worker, signal.SIGSTOP)
            time.sleep(5.2)
            for worker in workers:
                kill(worker, signal.SIGCONT)
            wanted += self.journal().count(b'{"done"')
            while process.poll() is None and self.journal().count(b'{"done"') < wanted:
                time.sleep(0.001)
        ended = process.poll() is not None
        kill(process.pid)
        process.wait()
        return not ended

    def restore(self, files):
        remove(self.out)
        for name, content in files.items():
            (self.folder / name).write_bytes(content)


def block(chance, size):
    """A random piece of a file of this size: where it begins and ends."""
    start = chance.randrange(size)
    return start, min(size, start + chance.choice([1, 16, 512, 4096, 65536]))


def damage(chance, files, other):
    """Damages one of the files; `other` are those of another run. Returns what was done, in words."""
    name = chance.choice(sorted(files))
    content = bytearray(files[name])
    size = len(content)
    kinds = ["flip", "truncate", "extend", "repeat", "delete", "zero", "swap", "swap files", "other run's", "empty"]
    if name.endswith(".journal"):
        kinds += ["drop a line", "repeat a line", "swap lines"] * 2
    if not content:  # An earlier damage may have left nothing of it.
        kinds = ["extend", "delete", "swap files", "other run's"]
    kind = chance.choice(kinds)
    at, end = block(chance, max(size, 1))
    if kind == "flip":
        content[at] ^= 1 << chance.randrange(8)
    elif kind == "truncate":
        del content[at:]
    elif kind == "extend":
        content += chance.randbytes(chance.choice([1, 100, 10_000]))
    elif kind == "repeat":
        content += content[at:end]
    elif kind == "delete":
        del files[name]
        return f"delete {name}"
    elif kind == "zero":
        content[at:end] = bytes(end - at)
    elif kind == "swap":
        to = chance.randrange(size)
        length = min(end - at, size - to)
        content[at : at + length], content[to : to + length] = content[to : to + length], content[at : at + length]
    elif kind == "swap files":
        with_ = chance.choice(sorted(files))
        files[name], files[with_] = files[with_], files[name]
        return f"swap {name} and {with_}"
    elif kind == "other run's":
        ends_alike = [key for key in sorted(other) if key.rpartition(".")[2] == name.rpartition(".")[2]]
        content = bytearray(other[chance.choice(ends_alike or sorted(other))])
    elif kind == "empty":
        content.clear()
    else:
        lines = content.splitlines(keepends=True)
        first, second = chance.randrange(len(lines)), chance.randrange(len(lines))
        if kind == "drop a line":
            del lines[first]
        elif kind == "repeat a line":
            lines.insert(second, lines[first])
        else:
            lines[first], lines[second] = lines[second], lines[first]
        content = bytearray(b"".join(lines))
    files[name] = bytes(content)
    return f"{kind} {name} at {at}..{end} of {size}"


def tampered(stage):
    """200 damages to the .part, journal, rejects and quarantine of killed runs, then --resume: the same bytes or a refusal"""
    extensions = ["jsonl"] if stage.short else ["jsonl", "csv", "jsonl.gz", "csv.zst"]
    moments = ["young", "old", "complete"]
    if not launcher(stage):
        moments.remove("complete")
    scenes = [Scene(stage, f"{moment}-{ext}", ext, moment) for ext in extensions for moment in moments]
    inputs = {scene.input: (digest(scene.input), os.stat(scene.input).st_mtime_ns) for scene in scenes}
    rounds, wrong, refused = 12 if stage.short else 200, [], 0
    for at in range(rounds):
        chance = stage.dice(f"tampered {at}")
        scene, other = scenes[at % len(scenes)], chance.choice(scenes)
        files = dict(scene.files)
        done = " and ".join(damage(chance, files, other.files) for _ in range(chance.choice([1, 1, 1, 2])) if files)
        scene.restore(files)
        arguments = [*scene.arguments, "--resume"]
        complaint, code, said = stage.trial(arguments, scene.out, scene.expected, environment=scene.environment)
        refused += code not in (0, None)
        if complaint:
            wrong.append(f"round {at}, {scene.moment}, {done}: {complaint}")
    for path, seen in inputs.items():
        if (digest(path), os.stat(path).st_mtime_ns) != seen:
            wrong.append(f"{path.name}: an input was changed")
    return told(wrong, rounds, f"damages, {refused} refused")
