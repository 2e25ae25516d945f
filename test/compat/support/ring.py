"""Task 0 listens at MASTER_ADDR:MASTER_PORT; every other task connects and says who it is. No framework needed."""

import os
import socket
import sys
import time

address = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
rank, world = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
node = os.environ["SLURMD_NODENAME"]
end = time.monotonic() + 30

if rank == 0:
    server = socket.create_server(address)
    server.settimeout(30)
    names = [node]
    for _ in range(world - 1):
        peer, _ = server.accept()
        names.append(peer.makefile().readline().strip())
    print(f"{len(names)} tasks met at {address[0]}: {' '.join(sorted(names))}")
else:
    while True:
        try:
            with socket.create_connection(address, timeout=5) as peer:
                peer.sendall(f"{node}\n".encode())
            break
        except OSError as error:
            if time.monotonic() > end:
                sys.exit(f"task {rank} on {node} can't reach {address}: {error}")
            time.sleep(0.1)
