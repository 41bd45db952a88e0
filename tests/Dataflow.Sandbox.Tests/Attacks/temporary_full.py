# expect: Exited
def fill(folder):
    total = 0
    try:
        for i in range(1000):
            with open(f"{folder}/{i}", "wb") as file:
                for _ in range(10):
                    file.write(b"x" * 1_000_000)
                    file.flush()
                    total += 1_000_000
    except OSError as refusal:
        assert refusal.errno in (errno.ENOSPC, errno.EACCES, errno.EROFS), refusal
    return total
for folder in ["/tmp", "/dev/shm"]:
    total = fill(folder)
    print("ESCAPED" if total > 70_000_000 else "refused", folder, total)
