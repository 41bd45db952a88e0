# usage: python_batch.py COUNT SECONDS MOST
# As batch.sh, for Python: compiles the candidate once and forks for each input, which spares a start of the interpreter.
# Few modules, since each child takes down what is loaded here.
import atexit
import gc
import os
import signal
import sys
import time

count, seconds, most = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
sys.path.append("/job")
import dataflow_start
sys.path.pop()
code = dataflow_start.code()


# What is here now is not garbage: no child's collection need look at it, and touch its pages by that.
gc.freeze()


def become(index):
    for path, flags, descriptor in [(f"/job/inputs/{index}", os.O_RDONLY, 0), ("/tmp/.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 1), ("/tmp/.err", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 2)]:
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.close(8)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    return dataflow_start.main_module()


def write(data):
    while data:
        data = data[os.write(8, data):]


def content(path):
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        return size, file.read(most)


def clear(folder):
    """Empties a folder step by step, since a program may nest folders deeper than a path or the interpreter's stack goes."""
    home = os.getcwd()
    os.chdir(folder)
    names, stuck = [], [set()]
    while True:
        inner = next_folder(stuck[-1])
        if inner is not None:
            try:
                os.chmod(inner, 0o700)
                os.chdir(inner)
            except OSError:
                stuck[-1].add(inner)
            else:
                names.append(inner)
                stuck.append(set())
        elif names:
            os.chdir("..")
            stuck.pop()
            try:
                os.rmdir(names[-1])
            except OSError:
                stuck[-1].add(names[-1])
            names.pop()
        else:
            break
    os.chdir(home)


def next_folder(stuck):
    """A folder in this one that is not stuck; files that come before it are removed. None if there is none left."""
    with os.scandir(".") as entries:
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.name)
            elif entry.name not in stuck:
                return entry.name
    return None


def run(index):
    """The scope to run the candidate in, in the child; in the parent whether to go on."""
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        return become(index), False
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    _, status = os.waitpid(child, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    elapsed = time.monotonic() - started
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    (out_size, out), (err_size, err) = content("/tmp/.out"), content("/tmp/.err")
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
    write(f"{index} {code} {int(elapsed * 100)} {out_size} {err_size}\n".encode() + out + err)
    clear("/tmp")
    if os.access("/dev/shm", os.W_OK):
        clear("/dev/shm")
    return None, code == 0 and out_size <= most and err_size <= most


def finish():
    """What the interpreter does at its end, but for taking down its own modules, which takes longer than most candidates."""
    if "threading" in sys.modules:
        sys.modules["threading"]._shutdown()
    atexit._run_exitfuncs()
    # The candidate's module goes with all that is in it: finalizers run, files that were left open are flushed.
    sys.modules.pop("__main__", None)
    gc.collect()
    for stream in sys.stdout, sys.stderr:
        if stream is not None and not stream.closed:
            stream.flush()
    os._exit(0)


scope, go_on, index = None, True, 0
while scope is None and go_on and index < count:
    scope, go_on = run(index)
    index += 1
if scope is not None:
    # Whatever ends otherwise than well ends by the interpreter's own means.
    try:
        exec(code, scope)
    except SystemExit as end:
        if end.code is not None and end.code != 0:
            raise
    scope = None
    finish()
