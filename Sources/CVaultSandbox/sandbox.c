#define _GNU_SOURCE
#include "vault_sandbox.h"

#include <errno.h>

#if !defined(__linux__)

uint32_t vault_sandbox_before_load(const char *plugin) {
    (void)plugin;
    return 0;
}
int vault_sandbox_close(pid_t child) {
    (void)child;
    return ENOSYS;
}

#else

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* MARK: Limits */

/* Of a process, 0 for this one; never more than it may have already. */
static int limit(pid_t process, int resource, rlim_t soft, rlim_t hard) {
    struct rlimit now;
    if (prlimit(process, (__rlimit_resource_t)resource, NULL, &now)) return -1;
    struct rlimit wanted = {.rlim_cur = soft < now.rlim_max ? soft : now.rlim_max,
                            .rlim_max = hard < now.rlim_max ? hard : now.rlim_max};
    return prlimit(process, (__rlimit_resource_t)resource, &wanted, NULL);
}

/* A sanitizer keeps a shadow of all addresses, so a program built with one can have no limit on them. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define ADDRESSES RLIM_INFINITY
#endif
#endif
#ifndef ADDRESSES
#define ADDRESSES ((rlim_t)1 << 30)
#endif

/* MARK: Landlock (the kernel's headers may be older than the kernel, so its growing struct is our own) */

struct ruleset {
    uint64_t files, network, scoped;
};

/* Denies all rights on files that this kernel knows, except reading below `readable`. */
static int landlock(const char *const readable[], size_t count) {
    long abi = syscall(__NR_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (abi < 1) return -1;
    struct ruleset all = {.files = (1u << 13) - 1};
    if (abi >= 2) all.files |= 1u << 13; /* refer */
    if (abi >= 3) all.files |= 1u << 14; /* truncate */
    if (abi >= 5) all.files |= 1u << 15; /* ioctl on devices */
    if (abi >= 4) all.network = 3;       /* bind and connect by TCP */
    if (abi >= 6) all.scoped = 3;        /* abstract sockets and signals to others */
    size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
    int ruleset = (int)syscall(__NR_landlock_create_ruleset, &all, size, 0);
    if (ruleset < 0) return -1;

    for (size_t index = 0; index < count; index++) {
        int place = open(readable[index], O_PATH | O_CLOEXEC);
        if (place < 0) continue; /* not on this system */
        struct landlock_path_beneath_attr rule = {
            .allowed_access = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = place};
        syscall(__NR_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
        close(place);
    }
    long failed = syscall(__NR_landlock_restrict_self, ruleset, 0);
    close(ruleset);
    return failed ? -1 : 0;
}

/* MARK: seccomp */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#if defined(ARCHITECTURE)
/* What code that computes needs: memory, time, locks, its own descriptors, its end. sendto and recvfrom are for the
 * socket to the host; there is no other, and none can be made. */
static const int computing[] = {
    __NR_read, __NR_write, __NR_readv, __NR_writev, __NR_close, __NR_fstat, __NR_lseek,
    __NR_sendto, __NR_recvfrom,
    __NR_mmap, __NR_munmap, __NR_mremap, __NR_mprotect, __NR_madvise, __NR_brk,
    __NR_futex, __NR_sched_yield, __NR_membarrier, __NR_set_robust_list, __NR_rseq,
    __NR_exit, __NR_exit_group, __NR_restart_syscall,
    __NR_rt_sigreturn, __NR_rt_sigprocmask, __NR_rt_sigaction, __NR_sigaltstack,
    __NR_clock_gettime, __NR_clock_getres, __NR_clock_nanosleep, __NR_nanosleep, __NR_gettimeofday,
    __NR_getrandom, __NR_getpid, __NR_gettid, __NR_getuid, __NR_geteuid, __NR_getgid, __NR_getegid, __NR_ppoll,
#ifdef __NR_poll
    __NR_poll,
#endif
#ifdef __NR_time
    __NR_time,
#endif
};

/* And what the loader needs. There is nothing here that changes what holds the process, prctl, prlimit64, seccomp and
 * Landlock: an initialiser could undo with it what stands, and install a filter that answers for the kernel. */
static const int loading[] = {
    __NR_openat, __NR_newfstatat, __NR_pread64, __NR_readlinkat, __NR_faccessat, __NR_getcwd, __NR_uname,
#ifdef __NR_open
    __NR_open, __NR_stat, __NR_lstat, __NR_access, __NR_readlink,
#endif
#ifdef __NR_statx
    __NR_statx,
#endif
#ifdef __NR_faccessat2
    __NR_faccessat2,
#endif
};

#define STATEMENT(code, k) ((struct sock_filter)BPF_STMT((code), (k)))
#define JUMP(k, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(k), (yes), (no)))
#define LOAD(member) STATEMENT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ANSWER(action) STATEMENT(BPF_RET | BPF_K, (action))

/* Everything that is not on the lists fails with EPERM: a plugin that tries has an error to show, not a riddle. */
static int seccomp(void) {
    struct sock_filter code[256];
    size_t n = 0;
    code[n++] = LOAD(arch);
    code[n++] = JUMP(ARCHITECTURE, 1, 0);
    code[n++] = ANSWER(SECCOMP_RET_KILL_PROCESS);
    code[n++] = LOAD(nr);
    for (size_t i = 0; i < sizeof(computing) / sizeof(computing[0]); i++) {
        code[n++] = JUMP(computing[i], 0, 1);
        code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    }
    for (size_t i = 0; i < sizeof(loading) / sizeof(loading[0]); i++) {
        code[n++] = JUMP(loading[i], 0, 1);
        code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    }
    /* A signal to itself: abort() must look like one. */
    code[n++] = JUMP(__NR_tgkill, 0, 3);
    code[n++] = LOAD(args[0]);
    code[n++] = JUMP(getpid(), 0, 1);
    code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    code[n++] = ANSWER(SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = code};
    return syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0 ? 0 : -1;
}
#else
static int seccomp(void) { return -1; }
#endif

/* MARK: The two halves */

uint32_t vault_sandbox_before_load(const char *plugin) {
    const char *const readable[] = {plugin,       "/lib",           "/lib64",           "/usr/lib",
                                    "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"};
    uint32_t active = 0;
    if (!prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0)) active |= VAULT_PROTECTION_DIES_WITH_HOST;
    if (!prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) active |= VAULT_PROTECTION_NOT_DUMPABLE;
    if (!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) active |= VAULT_PROTECTION_NO_NEW_PRIVILEGES;
    /* Ten seconds of computing to be loaded. Files cannot grow: nothing here writes one. */
    int limited = limit(0, RLIMIT_CORE, 0, 0) | limit(0, RLIMIT_AS, ADDRESSES, ADDRESSES) |
                  limit(0, RLIMIT_FSIZE, 0, 0) | limit(0, RLIMIT_NOFILE, 64, 64) | limit(0, RLIMIT_CPU, 10, 3600);
    if (!limited) active |= VAULT_PROTECTION_LIMITS;
    if (!landlock(readable, sizeof(readable) / sizeof(readable[0]))) active |= VAULT_PROTECTION_LANDLOCK;
    if (!seccomp()) active |= VAULT_PROTECTION_SECCOMP;
    return active;
}

/* The plugin's code has run in the child by now and may have rewritten all of it, so this is done from outside. Where
 * no descriptor may be made nothing can be opened, by whatever call. An hour of computing in its life: then it is
 * started again. */
int vault_sandbox_close(pid_t child) {
    return limit(child, RLIMIT_NOFILE, 0, 0) || limit(child, RLIMIT_CPU, 3600, 3600) ? errno : 0;
}

#endif
