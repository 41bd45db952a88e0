# expect: MemoryExceeded Exited
held = []
attempt("4 GB", lambda: len([held.append(bytes(bytearray(os.urandom(1 << 20)) * 64)) for _ in range(64)]))
