/*
 * Lets Debian 12's User Mode Linux run on hosts whose processors have AMX.
 *
 * UML 6.1 saves its processes' floating point state with PTRACE_GETREGSET and PTRACE_SETREGSET,
 * note type NT_X86_XSTATE, in a buffer that ends after PKRU (2,696 bytes). A host with AMX has a
 * state of 11,008 bytes, and its kernel refuses to set a part of it: EFAULT (xstateregs_set() in
 * arch/x86/kernel/fpu/regset.c). UML then dies in its first process: "ptrace set fp regs failed,
 * errno = 14".
 *
 * This library stands between UML and its host's ptrace(): it asks for and sets the whole state
 * and hands UML the part that it knows. The rest is AMX tiles, which a process has only after it
 * asked its kernel for them; UML's guests never can, so the rest is zero at all times.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { X86_XSTATE = 0x202, STATE_LIMIT = 65536 };

static unsigned char state[STATE_LIMIT]; /* UML's kernel traces from one thread */
static size_t host_size;

static long whole_state(int request, long pid, struct iovec *part)
{
    struct iovec whole = {state, host_size};
    long result;

    if (request == PTRACE_SETREGSET) {
        memcpy(state, part->iov_base, part->iov_len);
        memset(state + part->iov_len, 0, host_size - part->iov_len);
        return syscall(SYS_ptrace, request, pid, X86_XSTATE, &whole);
    }
    result = syscall(SYS_ptrace, request, pid, X86_XSTATE, &whole);
    if (result == 0)
        memcpy(part->iov_base, state, part->iov_len);
    return result;
}

static void learn_host_size(long pid)
{
    struct iovec all = {state, STATE_LIMIT};

    if (syscall(SYS_ptrace, PTRACE_GETREGSET, pid, X86_XSTATE, &all) == 0)
        host_size = all.iov_len;
}

long ptrace(enum __ptrace_request request, ...)
{
    va_list list;
    long pid, value, result;
    void *address, *data;

    va_start(list, request);
    pid = va_arg(list, long);
    address = va_arg(list, void *);
    data = va_arg(list, void *);
    va_end(list);

    if ((request == PTRACE_GETREGSET || request == PTRACE_SETREGSET) &&
        (long)address == X86_XSTATE) {
        if (host_size == 0)
            learn_host_size(pid);
        if (host_size > ((struct iovec *)data)->iov_len)
            return whole_state(request, pid, data);
    }
    if (request != PTRACE_PEEKTEXT && request != PTRACE_PEEKDATA && request != PTRACE_PEEKUSER)
        return syscall(SYS_ptrace, request, pid, address, data);
    /* The system call stores a peeked word where `data` points; libc returns it. */
    result = syscall(SYS_ptrace, request, pid, address, &value);
    if (result < 0)
        return result;
    errno = 0;
    return value;
}
