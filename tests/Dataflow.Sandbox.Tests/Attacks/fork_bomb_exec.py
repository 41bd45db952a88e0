# expect: Exited TimedOut
# Each copy starts two more and leaves; the first one ends at once.
write("/tmp/b.sh", "#!/bin/sh\n/bin/sh /tmp/b.sh & /bin/sh /tmp/b.sh &\n")
os.system("/bin/sh /tmp/b.sh 2>/dev/null")
time.sleep(0.5)
