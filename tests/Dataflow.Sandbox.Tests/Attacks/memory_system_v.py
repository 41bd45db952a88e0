# expect: Exited MemoryExceeded
def segments():
    for i in range(64):
        key = call(29, 0, 64 << 20, 0o1777)
        libc.shmat.restype = ctypes.c_void_p
        address = libc.shmat(key, None, 0)
        ctypes.memset(address, 1, 64 << 20)
    return i
def messages():
    for i in range(10_000):
        queue = call(68, 0, 0o1777)
        message = ctypes.create_string_buffer(b"\1" + bytes(8000))
        call(69, queue, message, 7900, 0o4000)
attempt("messages nobody takes", messages)
attempt("4 GB of System V segments", segments)
