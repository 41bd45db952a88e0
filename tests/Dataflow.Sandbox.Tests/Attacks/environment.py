# expect: Exited
found = repr(dict(os.environ))
for pid in os.listdir("/proc"):
    if pid.isdigit():
        for file in ["environ", "cmdline", "mountinfo"]:
            try:
                found += repr(open(f"/proc/{pid}/{file}", "rb").read())
            except OSError:
                pass
print("ESCAPED" if given["secret"][::-1] in found else "refused", "secret of the environment")
print("ESCAPED" if given["canary"] in found else "refused", "paths of the host")
