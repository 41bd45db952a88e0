# expect: TimedOut MemoryExceeded
while True:
    try:
        os.fork()
    except OSError:
        pass
