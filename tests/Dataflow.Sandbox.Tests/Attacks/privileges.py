# expect: Exited
import shutil
attempt("become root", lambda: os.setuid(0))
attempt("become root's group", lambda: os.setgid(0))
attempt("other groups", lambda: os.setgroups([0]))
attempt("all three ids", lambda: os.setresuid(0, 0, 0))
for program in ["su", "sudo", "mount", "newgrp", "passwd", "pkexec", "ping"]:
    path = shutil.which(program)
    if path:
        status = os.system(f"{path} -c id < /dev/null > /tmp/o 2>&1")
        print("ESCAPED" if b"uid=0" in read("/tmp/o") else "refused", program)
shutil.copy("/usr/bin/id", "/tmp/id")
os.chmod("/tmp/id", 0o4755)
os.system("/tmp/id -u > /tmp/o")
print("ESCAPED" if read("/tmp/o").strip() == b"0" else "refused", "set-user-id copy")
status = open("/proc/self/status").read()
for line in status.splitlines():
    if line.startswith(("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")):
        print("ESCAPED" if int(line.split()[1], 16) else "refused", line)
    if line.startswith("NoNewPrivs"):
        print("refused" if line.split()[1] == "1" else "ESCAPED", line)
    if line.startswith("Seccomp:"):
        print("refused" if line.split()[1] == "2" else "ESCAPED", line)
