# expect: Exited
# The next attack looks for what this one leaves.
import shutil
for folder in ["/tmp", "/dev/shm", "/var/tmp", "/run", "/job", "/dev/mqueue"]:
    try:
        write(folder + "/left-behind")
    except OSError:
        pass
try:
    call(29, 0x1234, 4096, 0o1777)
except OSError:
    pass
print("refused")
