# expect: Exited
import fcntl
for path in ["/dev/tty", "/dev/console", "/dev/ptmx", "/dev/pts/0"]:
    attempt("push a character into " + path, lambda: fcntl.ioctl(os.open(path, os.O_RDWR | os.O_NOCTTY), 0x5412, b"x"))
def pushed():
    master, slave = os.openpty()
    return fcntl.ioctl(slave, 0x5412, b"x")
attempt("push a character into a terminal of its own", pushed)
for fd in range(3):
    attempt(f"push a character into descriptor {fd}", lambda: fcntl.ioctl(fd, 0x5412, b"x"))
