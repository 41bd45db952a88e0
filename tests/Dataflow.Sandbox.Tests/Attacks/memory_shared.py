# expect: Exited MemoryExceeded
import mmap
def shared():
    maps = []
    for _ in range(64):
        m = mmap.mmap(-1, 64 << 20)
        for at in range(0, 64 << 20, 4096):
            m[at] = 1
        maps.append(m)
    return len(maps)
attempt("4 GB of shared memory", shared)
