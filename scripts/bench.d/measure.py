"""Runs what it reads, one JSON object a line, and answers with what it took.

In: {"argv": [...], "env": {...}, "cwd": "/", "control": "text for descriptor 3"}; the last two may be missing.
Out: {"firstLineMs", "totalMs", "cpuMs", "code", "stderr"}. CPU is that of the whole family: orphans are reaped here as well,
which neither a shell nor Node can do.
"""

import ctypes
import json
import os
import resource
import sys
import tempfile
import time

PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def reap_all():
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass


def measure(argv, env, cwd="/", control=None):
    os.chdir(cwd)
    reader, writer = os.pipe()
    launcher, ours = os.pipe()
    with tempfile.TemporaryFile() as stderr:
        actions = [(os.POSIX_SPAWN_DUP2, writer, 1), (os.POSIX_SPAWN_DUP2, stderr.fileno(), 2)]
        if control is not None:
            actions.append((os.POSIX_SPAWN_DUP2, launcher, 3))
        used, began = cpu(), time.perf_counter()
        pid = os.posix_spawnp(argv[0], argv, env, file_actions=actions)
        os.close(writer)
        os.close(launcher)
        os.write(ours, (control or "").encode())
        os.close(ours)
        first = os.read(reader, 65536) and time.perf_counter()
        while os.read(reader, 65536):
            pass
        _, status = os.waitpid(pid, 0)
        ended = time.perf_counter()
        reap_all()
        os.close(reader)
        stderr.seek(0)
        return {
            "firstLineMs": (first - began) * 1000 if first else None,
            "totalMs": (ended - began) * 1000,
            "cpuMs": cpu() - used,
            "code": os.waitstatus_to_exitcode(status),
            "stderr": stderr.read().decode(errors="replace"),
        }


for line in sys.stdin:
    print(json.dumps(measure(**json.loads(line))), flush=True)
