# expect: Exited
held = []
try:
    for i in range(100_000):
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as refusal:
    assert refusal.errno == errno.EMFILE, refusal
print("ESCAPED" if len(held) > 256 else "refused", len(held), "descriptors")
import resource
attempt("more descriptors", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1_000_000, 1_000_000)))
attempt("more processes", lambda: resource.setrlimit(resource.RLIMIT_NPROC, (1_000_000, 1_000_000)))
attempt("more memory", lambda: resource.setrlimit(resource.RLIMIT_DATA, (1 << 40, 1 << 40)))
attempt("more time", lambda: resource.setrlimit(resource.RLIMIT_CPU, (10_000, 10_000)))
