# expect: Exited
import socket
attempt("AF_PACKET", lambda: socket.socket(17, socket.SOCK_RAW))
attempt("AF_NETLINK", lambda: socket.socket(16, socket.SOCK_RAW))
attempt("AF_VSOCK", lambda: socket.socket(40, socket.SOCK_STREAM))
attempt("AF_ALG", lambda: socket.socket(38, socket.SOCK_SEQPACKET))
attempt("AF_BLUETOOTH", lambda: socket.socket(31, socket.SOCK_RAW))
attempt("raw IP", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("socketcall of an unknown family", lambda: socket.socket(44, socket.SOCK_RAW))
