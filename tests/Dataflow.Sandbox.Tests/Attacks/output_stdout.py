# expect: OutputExceeded
while True:
    os.write(1, b"y\n" * 30_000)
