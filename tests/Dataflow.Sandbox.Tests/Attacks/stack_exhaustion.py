# expect: Signaled Exited TimedOut MemoryExceeded
sys.setrecursionlimit(1 << 30)
def deeper():
    deeper()
deeper()
