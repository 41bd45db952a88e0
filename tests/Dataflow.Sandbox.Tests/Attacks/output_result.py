# expect: OutputExceeded
while True:
    os.write(8, b"y\n" * 30_000)
