#define _GNU_SOURCE
#include "vault_sandbox.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>

int vault_spawn(char *const argv[], int fd, pid_t *pid) {
    /* A plugin's crash is told by the host in one line; a backtrace would only wait for a terminal. */
    char *const environment[] = {"SWIFT_BACKTRACE=enable=no", "PATH=/usr/bin:/bin", 0};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;

    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return error;
    }
    sigemptyset(&none);
    sigfillset(&all);
    /* Ctrl-C in a terminal is for the host: it stops its children itself. */
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);

    error = posix_spawn_file_actions_adddup2(&actions, fd, 3);
    for (int standard = 0; standard < 3 && !error; standard++)
        error = posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
#if defined(__linux__)
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
#endif
    if (!error) error = posix_spawn(pid, argv[0], &actions, &attributes, argv, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error;
}
