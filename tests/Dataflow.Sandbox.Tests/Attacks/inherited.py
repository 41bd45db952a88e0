# expect: Exited
# Descriptor 8 is for results; nothing else beyond the standard three may be there, nor in process 1 what is not ours.
ours = {os.readlink(f"/proc/self/fd/{fd}") for fd in (0, 1, 2, 8)}
for fd in range(3, 1024):
    if fd != 8 and os.path.exists(f"/proc/self/fd/{fd}"):
        attempt(f"descriptor {fd}", lambda: os.readlink(f"/proc/self/fd/{fd}"))
for name in os.listdir("/proc/1/fd") if os.access("/proc/1/fd", os.R_OK) else []:
    link = os.readlink("/proc/1/fd/" + name)
    if link not in ours:
        attempt(f"descriptor {name} of process 1, {link}", lambda: os.open("/proc/1/fd/" + name, os.O_RDWR | os.O_NONBLOCK))
