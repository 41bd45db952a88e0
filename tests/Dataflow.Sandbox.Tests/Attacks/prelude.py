# Put before every attack. An attack says ESCAPED for each thing that it should not have been able to do.
import ctypes
import errno
import json
import os
import signal
import sys
import time

given = json.loads(sys.stdin.readline() or "{}")
libc = ctypes.CDLL(None, use_errno=True)


def attempt(name, action):
    """Runs the action; success is an escape."""
    try:
        print("ESCAPED", name, repr(action())[:200], flush=True)
    except Exception as refusal:
        print("refused", name, type(refusal).__name__, refusal, flush=True)


def call(number, *arguments):
    """A raw system call (x86-64 numbers); raises OSError if it is refused."""
    libc.syscall.restype = ctypes.c_long
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def write(path, text="x"):
    with open(path, "w") as file:
        file.write(text)


def read(path):
    with open(path, "rb") as file:
        return file.read(100)
