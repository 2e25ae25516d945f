"""A small MPI program without a compiler: each rank adds itself up with the others and says what it found.

Usage: mpi.py LIBRARY. Open MPI's communicators are addresses of symbols, MPICH's are numbers.
"""
import ctypes
import os
import sys


def node():
    """Where the launcher's own daemon runs: launchers hand the first node's environment to all ranks."""
    with open(f"/proc/{os.getppid()}/environ", "rb") as file:
        variables = dict(one.split(b"=", 1) for one in file.read().split(b"\0") if b"=" in one)
    return variables.get(b"SLURMD_NODENAME", b"?").decode()


mpi = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
if "mpich" in sys.argv[1]:
    world, int_type, op_sum = 0x44000000, 0x4C000405, 0x58000003
else:
    address = lambda name: ctypes.addressof(ctypes.c_char.in_dll(mpi, name))
    world = ctypes.c_void_p(address("ompi_mpi_comm_world"))
    int_type = ctypes.c_void_p(address("ompi_mpi_int"))
    op_sum = ctypes.c_void_p(address("ompi_mpi_op_sum"))

assert mpi.MPI_Init(None, None) == 0
rank, size, total = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
mpi.MPI_Comm_rank(world, ctypes.byref(rank))
mpi.MPI_Comm_size(world, ctypes.byref(size))
mine = ctypes.c_int(rank.value + 1)
mpi.MPI_Allreduce(ctypes.byref(mine), ctypes.byref(total), 1, int_type, op_sum, world)
# One write a line: Python may run unbuffered, and other ranks write too.
sys.stdout.write(f"rank {rank.value} of {size.value} on {node()}: sum {total.value}\n")
sys.stdout.flush()
mpi.MPI_Finalize()
