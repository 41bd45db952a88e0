# expect: MemoryExceeded
# Each process alone is within its limit; the first one exits 0 as if nothing were.
for i in range(40):
    if os.fork() == 0:
        held = b"x" * 100_000_000
        time.sleep(3)
        os._exit(0)
time.sleep(1)
os._exit(0)
