# expect: Exited
import socket
def send(family, address):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.sendto(b"x" * 32, address)
attempt("public resolver", lambda: send(socket.AF_INET, ("8.8.8.8", 53)))
attempt("broadcast", lambda: send(socket.AF_INET, ("255.255.255.255", 9)))
attempt("multicast", lambda: send(socket.AF_INET6, ("ff02::1", 9)))
attempt("name lookup", lambda: socket.getaddrinfo("example.com", 80))
