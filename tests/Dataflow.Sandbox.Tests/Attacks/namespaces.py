# expect: Exited
for name, flag in dict(user=0x10000000, mount=0x20000, pid=0x20000000, net=0x40000000, ipc=0x8000000, uts=0x4000000, cgroup=0x2000000, time=0x80).items():
    attempt("unshare " + name, lambda: call(272, flag))
    # The time namespace's flag lies in clone's exit signal, so clone cannot ask for one.
    if name != "time":
        attempt("clone " + name, lambda: call(56, flag | 17, 0, 0, 0, 0) or os._exit(0))
class Arguments(ctypes.Structure):
    _fields_ = [("fields", ctypes.c_uint64 * 11)]
arguments = Arguments()
arguments.fields[0] = 0x10000000
arguments.fields[4] = 17
attempt("clone3", lambda: call(435, ctypes.byref(arguments), 88) or os._exit(0))
for name in ["user", "mnt", "net", "pid"]:
    attempt("enter the namespace of process 1: " + name, lambda: call(308, os.open("/proc/1/ns/" + name, os.O_RDONLY), 0))
attempt("host name", lambda: call(170, ctypes.c_char_p(b"x"), 1))
