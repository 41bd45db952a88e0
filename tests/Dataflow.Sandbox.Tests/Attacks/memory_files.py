# expect: Exited MemoryExceeded
# Anonymous files are memory that no limit on a process's own data counts.
def fill():
    for i in range(200):
        fd = os.memfd_create("m")
        for _ in range(15):
            os.write(fd, b"x" * 1_000_000)
attempt("3 GB of anonymous files", fill)
attempt("secret memory", lambda: call(447, 0))
