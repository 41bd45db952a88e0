# expect: Exited Signaled
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
def sparse():
    with open("/tmp/sparse", "wb") as file:
        file.seek(1 << 40)
        file.write(b"x")
attempt("a sparse file of 1 TB", sparse)
attempt("truncate to 1 TB", lambda: os.truncate("/tmp/sparse", 1 << 40))
attempt("allocate 1 TB", lambda: os.posix_fallocate(os.open("/tmp/a", os.O_CREAT | os.O_RDWR), 0, 1 << 40))
