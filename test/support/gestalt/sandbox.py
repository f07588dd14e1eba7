"""What gestaltd puts around a provider when egress is restricted: Landlock.

    sandbox.py PORT WRITABLE PROGRAM [ARGUMENT]...

PROGRAM reads and executes only below /usr/lib, /lib, /usr/share, its own directory, and a few files of /etc; it writes only below
WRITABLE; it connects by TCP only to PORT (of gestaltd's proxy).
"""

import ctypes
import os
import sys

port, writable, program, *arguments = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446
PATH_BENEATH, NET_PORT = 1, 2
EXECUTE, READ_FILE, READ_DIR = 1 << 0, 1 << 2, 1 << 3
CONNECT_TCP = 1 << 1


class Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64)]


class PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("access", ctypes.c_uint64), ("parent", ctypes.c_int32)]


class NetPort(ctypes.Structure):
    _fields_ = [("access", ctypes.c_uint64), ("port", ctypes.c_uint64)]


def call(number, *arguments):
    result = libc.syscall(number, *arguments)
    if result < 0:
        sys.exit(f"sandbox: {number}: {os.strerror(ctypes.get_errno())}")
    return result


abi = libc.syscall(CREATE_RULESET, None, 0, 1)
if abi < 1:
    sys.exit("sandbox: no Landlock")
everything = (1 << {1: 13, 2: 14}.get(abi, 15)) - 1
has_net = abi >= 4
size = 16 if has_net else 8
ruleset = call(CREATE_RULESET, ctypes.byref(Ruleset(everything, CONNECT_TCP if has_net else 0)), size, 0)


def allow(path, access):
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    if not os.path.isdir(path):
        access &= EXECUTE | READ_FILE | 1 << 1 | 1 << 14
    call(ADD_RULE, ruleset, PATH_BENEATH, ctypes.byref(PathBeneath(access, fd)), 0)
    os.close(fd)


for path in ["/usr/lib", "/lib", "/lib64", "/usr/share", os.path.dirname(program)]:
    allow(path, EXECUTE | READ_FILE | READ_DIR)
for path in ["resolv.conf", "hosts", "nsswitch.conf", "ld.so.cache", "localtime"]:
    allow(f"/etc/{path}", READ_FILE)
allow(writable, everything & ~EXECUTE)
if has_net and port != "0":
    call(ADD_RULE, ruleset, NET_PORT, ctypes.byref(NetPort(CONNECT_TCP, int(port))), 0)
libc.prctl(38, 1, 0, 0, 0)
call(RESTRICT_SELF, ruleset, 0)
os.execv(program, [program, *arguments])
