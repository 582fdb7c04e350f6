"""What a loss of power leaves: strace records every write of a run, and this plays the disk.

A file holds what it held at its last fsync, and a folder the names it had at its last fsync. That is the least that a
disk may keep, and less than most keep. SIGKILL proves nothing of the kind, as the page cache survives it.
"""

import os
import pathlib
import re
import subprocess

CALLS = "openat,open,creat,close,write,pwrite64,writev,pwritev,ftruncate,fallocate,lseek,fsync,fdatasync,rename,renameat,renameat2"
CALLS += ",unlink,unlinkat,mkdir,mkdirat,rmdir,clone,clone3"
LINE = re.compile(r"^(\d+) +(?:([a-z0-9_]+)\((.*)|<\.\.\. ([a-z0-9_]+) resumed>(.*))$", re.DOTALL)
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


def record(command, environment, log, **rest):
    """Starts a command with everything that it does to files written to `log`."""
    # Without seccomp, strace would stop at every call.
    strace = ["strace", "-f", "--seccomp-bpf", "-o", log, "-xx", "-s", str(64 << 20), "-e", f"trace={CALLS}", "-e", "signal=none"]
    return subprocess.Popen([*map(str, strace), *map(str, command)], env=environment, **rest)


def calls(log):
    """The finished calls of the first process and its threads in their order: name, arguments as text, result."""
    done = list(all_calls(log))
    threads = {done[0][0]}
    for thread, name, arguments, result in done:
        # A worker has descriptors of its own, and writes no file here.
        if name.startswith("clone") and "CLONE_THREAD" in arguments:
            threads.add(str(result))
    return [call[1:] for call in done if call[0] in threads and not call[1].startswith("clone")]


def all_calls(log):
    unfinished = {}
    with open(log, encoding="ascii", errors="replace") as lines:
        for line in lines:
            match = LINE.match(line.rstrip("\n"))
            if not match:
                continue
            pid, name, rest, resumed, tail = match.groups()
            if name and rest.endswith("<unfinished ...>"):
                unfinished[pid] = (name, rest.removesuffix("<unfinished ...>"))
                continue
            if resumed:
                name, before = unfinished.pop(pid, (resumed, ""))
                rest = before + tail
            arguments, _, result = rest.rpartition(" = ")
            number = re.match(r"-?\d+", result.strip())
            if number:
                yield pid, name, arguments.rstrip().removesuffix(")"), int(number[0])


def strings(arguments):
    """The strings among the arguments."""
    return [bytes.fromhex(text.replace("\\x", "")) for text, _ in STRING.findall(arguments)]


class File:
    """An inode: what it holds, and what the disk holds of it."""

    def __init__(self):
        self.data, self.durable = bytearray(), b""


class Disk:
    """The files below one folder, as they are and as a loss of power would leave them."""

    def __init__(self, folder):
        self.folder = os.fsencode(os.path.abspath(folder))
        self.names, self.durable = {}, {}
        self.folders, self.durable_folders = {self.folder}, {self.folder}
        self.open = {}
        for path in pathlib.Path(folder).rglob("*"):
            name = os.fsencode(path)
            if path.is_dir():
                self.folders.add(name)
                self.durable_folders.add(name)
            else:
                file = self.names[name] = self.durable[name] = File()
                file.data[:] = file.durable = path.read_bytes()

    def path(self, name, arguments):
        """Absolute paths below the folder; others are nobody's business."""
        found = [os.path.normpath(path) for path in strings(arguments) if path.startswith(b"/")]
        return [path for path in found if path == self.folder or path.startswith(self.folder + b"/")]

    def apply(self, name, arguments, result):
        """Does what a call did, and says whether it forced something to the disk."""
        if result < 0:
            return False
        if name in ("open", "openat", "creat"):
            self.opened(arguments, result)
        elif name in ("rename", "renameat", "renameat2"):
            old, new = self.path(name, arguments)[:2] if len(self.path(name, arguments)) >= 2 else (None, None)
            if old in self.names:
                self.names[new] = self.names.pop(old)
        elif name in ("unlink", "unlinkat"):
            for path in self.path(name, arguments):
                self.names.pop(path, None)
        elif name in ("mkdir", "mkdirat"):
            self.folders.update(self.path(name, arguments))
        else:
            return self.on_descriptor(name, arguments, result)
        return False

    def opened(self, arguments, descriptor):
        self.open.pop(descriptor, None)
        for path in self.path("open", arguments):
            if path in self.folders:
                self.open[descriptor] = [path, 0, False]
                continue
            if path not in self.names:
                self.names[path] = File()
            file = self.names[path]
            if "O_TRUNC" in arguments:
                file.data.clear()
            self.open[descriptor] = [file, 0, "O_APPEND" in arguments]

    def on_descriptor(self, name, arguments, result):
        number = re.match(r"\d+", arguments)
        entry = self.open.get(int(number[0])) if number else None
        if entry is None:
            return False
        target = entry[0]
        if name in ("fsync", "fdatasync"):
            if isinstance(target, File):
                target.durable = bytes(target.data)
            else:
                self.sync_folder(target)
            return True
        if name == "close":
            del self.open[int(number[0])]
        elif not isinstance(target, File):
            return False
        elif name == "write":
            at = len(target.data) if entry[2] else entry[1]
            self.write(target, at, strings(arguments)[0][:result])
            entry[1] = at + result
        elif name == "writev":
            at = len(target.data) if entry[2] else entry[1]
            self.write(target, at, b"".join(strings(arguments))[:result])
            entry[1] = at + result
        elif name == "pwrite64":
            self.write(target, int(arguments.rpartition(",")[2]), strings(arguments)[0][:result])
        elif name == "ftruncate":
            length = int(arguments.rpartition(",")[2])
            del target.data[length:]
            target.data.extend(bytes(length - len(target.data)))
        elif name == "lseek":
            entry[1] = result
        elif name in ("fallocate", "pwritev"):
            raise NotImplementedError(name)
        return False

    @staticmethod
    def write(file, at, data):
        if len(file.data) < at:
            file.data.extend(bytes(at - len(file.data)))
        file.data[at : at + len(data)] = data

    def sync_folder(self, folder):
        inside = lambda path: os.path.dirname(path) == folder
        self.durable = {path: file for path, file in self.durable.items() if not inside(path)}
        self.durable.update({path: file for path, file in self.names.items() if inside(path)})
        self.durable_folders.update(filter(inside, self.folders))

    def restore(self, folder):
        """Writes what the disk has into another folder."""
        for path in sorted(self.durable_folders):
            os.makedirs(os.fsencode(folder) + path[len(self.folder) :], exist_ok=True)
        for path, file in self.durable.items():
            if os.path.dirname(path) in self.durable_folders:
                target = os.fsencode(folder) + path[len(self.folder) :]
                with open(target, "wb") as out:
                    out.write(file.durable)
                os.chmod(target, 0o600)


def losses(folder_before, log, points, chance):
    """Plays the run again and yields the disk at `points` random calls, in their order."""
    done = calls(log)
    chosen = set(chance.sample(range(len(done)), min(points, len(done))))
    for at, (name, arguments, result) in enumerate(done):
        folder_before.apply(name, arguments, result)
        if at in chosen:
            yield folder_before
