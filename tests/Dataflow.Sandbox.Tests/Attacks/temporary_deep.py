# expect: Exited
depth = 0
try:
    while depth < 1_000_000:
        os.mkdir("d")
        os.chdir("d")
        depth += 1
except OSError as refusal:
    assert refusal.errno == errno.ENOSPC, refusal
print("ESCAPED" if depth > 11_000 else "refused", depth, "levels")
