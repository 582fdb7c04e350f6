"""A system that refuses: by limits on resources, and by system calls that fail by chance."""

import functools
import os
import pathlib
import resource
import shutil
import subprocess
import tempfile

from stage import SIDES, digest, remove, results, told

SOURCE = pathlib.Path(__file__).with_name("faults.c")

# System calls that are refused together, and with which errors.
REFUSALS = {
    "files": (["openat", "open"], ["EMFILE", "ENFILE", "EACCES", "ENOMEM", "EIO"]),
    "descriptors": (
        ["socket", "socketpair", "memfd_create", "pipe2", "pipe", "accept4", "fcntl", "epoll_create1", "eventfd2", "pidfd_open"],
        ["EMFILE", "ENFILE", "ENOMEM"],
    ),
    "processes": (["clone", "clone3", "vfork", "execve"], ["EAGAIN", "ENOMEM"]),
    "memory": (["mmap", "mremap"], ["ENOMEM"]),
    "writes": (["write", "writev", "pwrite64", "ftruncate", "copy_file_range"], ["ENOSPC", "EIO", "EDQUOT", "EINTR"]),
    "reads": (["read", "pread64", "lseek"], ["EIO", "EINTR"]),
    "disk": (["fsync", "fdatasync", "flock"], ["EIO", "ENOSPC", "EINTR"]),
    "names": (
        ["rename", "renameat", "renameat2", "unlink", "unlinkat", "mkdir", "mkdirat", "link", "linkat"],
        ["EIO", "ENOSPC", "EACCES"],
    ),
    "looks": (["statx", "fstat", "newfstatat", "stat", "lstat", "getdents64"], ["EIO", "ENOMEM", "EACCES"]),
    "sockets": (["sendmsg", "connect", "bind", "listen"], ["ENOBUFS", "ENOMEM", "EACCES"]),
    "waits": (["poll", "ppoll", "epoll_wait", "wait4", "waitid", "recvmsg", "recvfrom", "sendmsg", "sendto"], ["EINTR"]),
}


@functools.cache
def compiled():
    """The program that makes system calls fail, or why there is none."""
    folder = tempfile.TemporaryDirectory(prefix="moodring-faults-")
    program = pathlib.Path(folder.name) / "faults"
    compiler = shutil.which("cc")
    if not compiler:
        return None, "there is no C compiler `cc`", folder
    made = subprocess.run([compiler, "-O1", "-pthread", SOURCE, "-o", program], capture_output=True, text=True)
    if made.returncode:
        return None, f"cc failed: {made.stderr[:200]}", folder
    tried = subprocess.run([program, "1", "all", "flock=EIO:0", "--", "/bin/true"], capture_output=True, text=True)
    if tried.returncode:
        return None, f"seccomp does not notify here: {tried.stderr.strip()[:200]}", folder
    return program, "", folder


def launcher(stage, seed=0, scope="all"):
    """The beginning of a command whose system calls fail; the rules and `--` come next. None if that cannot be done."""
    program, _, _ = compiled()
    return program and [program, seed, scope]


def roads(stage, folder):
    """Ways from posts to scores, each as arguments, output, what it reads on standard input, and what it makes."""
    posts = stage.mixed(folder, 4000)
    packed = folder / "posts.jsonl.gz"
    with packed.open("wb") as out:
        subprocess.run(["gzip", "-nc", posts], stdout=out, check=True)
    made = []
    for name, source, stdin in [
        ("out.jsonl", posts, None),
        ("out.csv.gz", posts, None),
        ("packed.jsonl.zst", packed, None),
        ("stream.jsonl", "-", posts),
    ]:
        out = folder / name
        arguments = ["score", source, "-o", out, "--workers", 2, "--quiet", "--record-timeout", 2, "--shard-size", "32K"]
        arguments += ["--format", "jsonl"] if stdin else []
        remove(out)
        with open(stdin or os.devnull, "rb") as opened:
            complaint, code, said = stage.trial(arguments, out, None, stdin=opened, limit=60)
        assert code == 0, (complaint, said)
        shutil.copy(out, folder / f"calm-{name}")
        made.append((arguments, out, stdin, results(out)))
    return made


def is_less_the_quarantined(out):
    """Whether the output lacks exactly those records that were quarantined, which is allowed where workers get no memory."""
    quarantine = pathlib.Path(f"{out}.quarantine.jsonl")
    if not quarantine.exists() or out.suffix != ".jsonl":
        return False
    gone = len(quarantine.read_text().splitlines())
    lines, calm = out.read_text().splitlines(), out.with_name(f"calm-{out.name}").read_text().splitlines()
    known = set(calm)
    return len(lines) + gone == len(calm) and all(line in known for line in lines)


def refuse(stage, name, rounds, harm):
    """Runs over all roads; `harm` gives what to do to each, in words and as options of a trial."""
    folder = stage.folder / name
    paths = roads(stage, folder)
    inputs = {path: digest(path) for path in [folder / "mixed-4000.jsonl", folder / "posts.jsonl.gz"]}
    wrong, failed = [], 0
    for at in range(rounds):
        chance = stage.dice(f"{name} {at}")
        arguments, out, stdin, expected = chance.choice(paths)
        what, options = harm(chance, folder)
        memory = any(name in what for name in ["mmap", "mremap", "RLIMIT_AS"])
        remove(out)
        with open(stdin or os.devnull, "rb") as opened:
            complaint, code, _ = stage.trial(arguments, out, expected, stdin=opened, memory=memory, **options)
        failed += code != 0
        if complaint and not (memory and code == 0 and is_less_the_quarantined(out)):
            wrong.append(f"round {at}, {out.name}, {what}: {complaint}")
        changed = [path.name for path, seen in inputs.items() if digest(path) != seen]
        if changed:
            wrong.append(f"round {at}, {what}: changed {', '.join(changed)}")
            break
    return told(wrong, rounds, f"runs, {failed} ended with an error")


def limits(stage):
    """Limits on descriptors, processes, memory and file sizes (rlimits), 60 runs: an error message or the right bytes"""
    kinds = {
        "NOFILE": lambda chance: chance.randrange(3, 120),
        "NPROC": lambda chance: chance.randrange(1, 60),
        "AS": lambda chance: int(2 ** chance.uniform(24, 31)),
        # The error message goes into a file as well.
        "FSIZE": lambda chance: int(2 ** chance.uniform(11, 20)),
    }
    is_root = os.getuid() == 0

    def harm(chance, folder):
        kind = chance.choice(sorted(kinds))
        figure = kinds[kind](chance)
        user = {}
        if kind == "NPROC" and is_root:
            # The limit does not hold root.
            user = {"user": 65534, "group": 65534, "extra_groups": []}
        elif kind == "NPROC":
            figure += len(list(pathlib.Path("/proc").glob("[0-9]*/task/*")))

        def limit():
            resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (figure, figure))

        environment = {"XDG_RUNTIME_DIR": str(folder), "TMPDIR": str(folder)}
        return f"RLIMIT_{kind} {figure}", {"preexec_fn": limit, "environment": environment, **user}

    folder = stage.folder / "limits"
    folder.mkdir(exist_ok=True)
    if is_root:
        # For the user that the limit holds.
        stage.folder.chmod(0o711)
        folder.chmod(0o777)
        shutil.copy(stage.binary, folder / "moodring-binary")
        binary = stage.binary
        stage.binary = folder / "moodring-binary"
        try:
            return refuse(stage, "limits", 10 if stage.short else 60, harm)
        finally:
            stage.binary = binary
    return refuse(stage, "limits", 10 if stage.short else 60, harm)


def rules(chance):
    """Some system calls that fail by chance, or each at one time."""
    found = []
    for group in chance.sample(sorted(REFUSALS), chance.choice([1, 1, 2, 3])):
        calls, errors = REFUSALS[group]
        once = chance.random() < 0.4
        figure = chance.randrange(1, 16) if once else chance.choice([5, 30, 200, 500, 1000])
        mark = "@" if once else ":"
        some = chance.sample(calls, chance.randrange(1, len(calls) + 1))
        found += [f"{call}={chance.choice(errors)}{mark}{figure}" for call in some]
    return found[:30]


def faults(stage):
    """System calls that fail by chance (seccomp), in the supervisor, the workers or both, 200 runs: an error message or the right bytes"""
    if not launcher(stage):
        return True, f"skipped: {compiled()[1]}"

    def harm(chance, folder):
        scope, what = chance.choice(["supervisor", "workers", "all"]), rules(chance)
        wrap = [*launcher(stage, chance.randrange(1 << 32), scope), *what, "--"]
        return f"{scope} {' '.join(what)}", {"wrap": wrap}

    return refuse(stage, "faults", 15 if stage.short else 200, harm)


def slow(stage):
    """Writes and reads of workers that take longer than --record-timeout: no worker is killed"""
    if not launcher(stage):
        return True, f"skipped: {compiled()[1]}"
    folder = stage.folder / "slow"
    posts, wrong, rounds = stage.mixed(folder, 2000), [], [("pwrite64",), ("pread64", "read")]
    out, report = folder / "out.jsonl", folder / "report"
    arguments = ["score", posts, "-o", out, "--workers", 2, "--summary", "json", "--shard-size", "64K"]
    expected = None
    for slow_calls in [(), *rounds]:
        remove(out)
        rules = [f"{call}=delay:1500" for call in slow_calls]
        wrap = [*launcher(stage, 1, "workers"), *rules, "--"] if rules else []
        with report.open("wb") as stdout:
            more = ["--record-timeout", "1"] if rules else []
            complaint, _, said = stage.trial([*arguments, *more], out, expected, wrap=wrap, stdout=stdout)
        if expected is None:
            expected = results(out)
        elif complaint:
            wrong.append(f"{' '.join(rules)}: {complaint}")
        elif '"restarts":0' not in report.read_text():
            wrong.append(f"{' '.join(rules)}: workers were replaced: {said.strip()[-200:]}")
    return told(wrong, len(rounds), "runs")
