/* vault_sandbox.h - starts the child that hosts a plugin, and shuts it in.
 *
 * Linux only; elsewhere nothing is protected and the answers say so. */
#ifndef VAULT_SANDBOX_H
#define VAULT_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

/* Protections, as bits. */
enum {
    VAULT_PROTECTION_NO_NEW_PRIVILEGES = 1, /* no set-user-id program gives it more */
    VAULT_PROTECTION_NOT_DUMPABLE = 2,      /* no core, no ptrace by others of the same user */
    VAULT_PROTECTION_DIES_WITH_HOST = 4,    /* killed when the thread that started it ends */
    VAULT_PROTECTION_LIMITS = 8,            /* memory 1 GiB, time, no core, no file grows */
    VAULT_PROTECTION_LANDLOCK = 16,         /* files: libraries and the plugin, and these only for reading; no TCP */
    VAULT_PROTECTION_SECCOMP = 32,          /* a short list of system calls; no sockets, children, threads */
    VAULT_PROTECTION_CLOSED = 64            /* nothing can be opened any more */
};

/* In the child, before the plugin's file is opened: its initialisers already run under this, and cannot undo it where
 * seccomp is. `plugin` and the system's library folders stay readable. Returns the protections that are active; what
 * failed is not among them. Not VAULT_PROTECTION_CLOSED, which comes after the load. */
uint32_t vault_sandbox_before_load(const char *plugin);

/* In the host, after the child has loaded the plugin and before more is asked of it: whatever its code does, the child
 * can open nothing from here on. Returns 0 or an errno, ENOSYS where no system does that. */
int vault_sandbox_close(pid_t child);

/* Starts argv[0] with an empty environment, its own process group, `fd` as descriptor 3, /dev/null as 0, 1 and 2 and
 * nothing else open. Returns 0 or an errno. The child dies with the calling thread, so call from one that stays. */
int vault_spawn(char *const argv[], int fd, pid_t *pid);

#endif
