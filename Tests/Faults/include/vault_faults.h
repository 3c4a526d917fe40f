// Makes chosen system calls fail, for tests.
//
// A test program that links this has its own pwrite, writev, fdatasync and fsync, and the linker gives them to
// every library in it. They do what they always do until a fault is armed.
#ifndef VAULT_FAULTS_H
#define VAULT_FAULTS_H

enum {
    VAULT_FAULT_WRITES = 1, // pwrite and writev
    VAULT_FAULT_SYNCS = 2,  // fdatasync and fsync
};

// How the chosen call fails. Every other value is an errno with which it fails undone.
enum {
    VAULT_FAULT_SHORT = -1, // a write does half of its work and says so
    VAULT_FAULT_DONE = -2,  // the call does its work and says EIO
};

// Arms one fault: of the calls of these kinds on files below `directory`, the `nth` (from 1) fails, and with
// `for_good` every later one too. Replaces what was armed before. One test at a time.
void vault_faults_arm(const char *directory, int kinds, int nth, int fault, int for_good);

// Disarms, and returns how many such calls there were.
int vault_faults_disarm(void);

#endif
