"""Have User Mode Linux give back kernel memory now: a program of the standard library alone.

Linux gives back what was vmalloc'ed and freed when 32 MiB of it have come together
(mm/vmalloc.c, lazy_max_pages), and then all at once. User Mode Linux does that by a munmap(2) of
its host for each page, 8,192 of them, and nothing else runs on its one processor for 0.15 s. LIO
as an array fills these 32 MiB: each PERSISTENT RESERVE OUT with APTPL takes a buffer of 256 KiB
(target_core_pr.c, PR_APTPL_BUF_LEN), and a loss of an engine and its return are some thirty. On
the arrays of a real lab that costs nobody anything, so here it is to be done between scenarios.

The end of a socket filter has all of it given back (mm/vmalloc.c, vm_reset_perms).
"""

import ctypes
import socket
import struct

SO_ATTACH_FILTER = 26  # include/uapi/asm-generic/socket.h
BPF_RET = 0x06  # include/uapi/linux/bpf_common.h, with BPF_K


def purge() -> None:
    """Attach a filter that lets everything pass to a socket, and close it."""
    code = struct.pack("HBBI", BPF_RET, 0, 0, 0xFFFF_FFFF)  # struct sock_filter
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("HP", 1, ctypes.addressof(buffer))  # struct sock_fprog
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as filtered:
        filtered.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, program)


if __name__ == "__main__":
    purge()
