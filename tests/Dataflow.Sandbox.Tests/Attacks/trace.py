# expect: Exited
if (child := os.fork()) == 0:
    time.sleep(2)
    os._exit(0)
attempt("attach to a child", lambda: call(101, 16, child, 0, 0))
attempt("be traced", lambda: call(101, 0, 0, 0, 0))
attempt("attach to process 1", lambda: call(101, 16, 1, 0, 0))
attempt("attach to the host's process", lambda: call(101, 16, given["pid"], 0, 0))
attempt("memory of process 1", lambda: os.pread(os.open("/proc/1/mem", os.O_RDONLY), 8, 0x400000))
buffer = ctypes.create_string_buffer(64)
class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]
vector = Vector(ctypes.addressof(buffer), 64)
attempt("process_vm_readv", lambda: call(310, child, ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0))
attempt("process_vm_writev", lambda: call(311, child, ctypes.byref(vector), 1, ctypes.byref(vector), 1, 0))
attempt("a descriptor of another process", lambda: call(438, call(434, child, 0), 1, 0))
attempt("kcmp", lambda: call(312, os.getpid(), child, 0, 0, 0))
os.kill(child, 9)
