# expect: Signaled Exited
# The 32-bit and x32 entries of the kernel have numbers of their own, which a careless filter does not know.
import mmap
attempt("x32 ptrace", lambda: call(0x40000000 + 521, 0, 0, 0, 0))
attempt("x32 getpid", lambda: call(0x40000000 + 39))
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
# mov eax, 20 (getpid of i386); int 0x80; ret
code.write(bytes([0xB8, 20, 0, 0, 0, 0xCD, 0x80, 0xC3]))
function = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
sys.stdout.flush()
result = function()
print("ESCAPED" if result > 0 else "refused", "int 0x80", result)
