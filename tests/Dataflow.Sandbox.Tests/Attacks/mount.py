# expect: Exited
def mount(source, target, kind, flags=0):
    if libc.mount(source, target, kind, flags, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
os.mkdir("/tmp/m")
attempt("tmpfs", lambda: mount(b"none", b"/tmp/m", b"tmpfs"))
attempt("proc", lambda: mount(b"none", b"/tmp/m", b"proc"))
attempt("bind", lambda: mount(b"/", b"/tmp/m", b"", 4096))
attempt("remount of the root for writing", lambda: mount(b"none", b"/", b"", 32 | 4096))
attempt("unmount /job", lambda: call(166, ctypes.c_char_p(b"/job"), 2))
attempt("fsopen", lambda: call(430, ctypes.c_char_p(b"tmpfs"), 0))
attempt("open_tree", lambda: call(428, -100, ctypes.c_char_p(b"/"), 1))
attempt("mount_setattr", lambda: call(442, -100, ctypes.c_char_p(b"/"), 0, 0, 0))
attempt("chroot", lambda: os.chroot("/tmp/m"))
attempt("pivot_root", lambda: call(155, ctypes.c_char_p(b"/tmp/m"), ctypes.c_char_p(b"/tmp/m")))
