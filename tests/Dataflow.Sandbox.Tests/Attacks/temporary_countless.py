# expect: Exited
count = 0
try:
    while count < 3_000_000:
        os.close(os.open(f"/tmp/{count}", os.O_CREAT | os.O_WRONLY))
        count += 1
except OSError as refusal:
    assert refusal.errno == errno.ENOSPC, refusal
print("ESCAPED" if count > 11_000 else "refused", count, "files")
