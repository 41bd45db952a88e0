# expect: OutputExceeded
while True:
    os.write(2, b"y\n" * 30_000)
