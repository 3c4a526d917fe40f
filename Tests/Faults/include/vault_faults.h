// Makes chosen system calls fail, and records them, for tests.
//
// A test program that links this has its own pwrite, writev, write, read, fdatasync and fsync, and the linker gives
// them to every library in it. They do what they always do until a fault is armed.
#ifndef VAULT_FAULTS_H
#define VAULT_FAULTS_H

enum {
    VAULT_FAULT_WRITES = 1, // pwrite and writev
    VAULT_FAULT_SYNCS = 2,  // fdatasync and fsync
    VAULT_FAULT_STREAMS = 4, // write
    VAULT_FAULT_READS = 8,   // read
};

// How the chosen call fails. Every other value is an errno with which it fails undone.
enum {
    VAULT_FAULT_SHORT = -1, // a write or read does half of its work and says so
    VAULT_FAULT_DONE = -2,  // the call does its work and says EIO
    VAULT_FAULT_LOST = -3,  // the call does nothing and says that it did: no store can keep its word then
    VAULT_FAULT_CHANGED = -4, // a write has another bit than it was given, and says that all is well
};

// Arms one fault: of the calls of these kinds on files below `directory`, the `nth` (from 1) fails, and with
// `for_good` every later one too. Replaces what was armed before. One test at a time.
void vault_faults_arm(const char *directory, int kinds, int nth, int fault, int for_good);

// Disarms, and returns how many such calls there were.
int vault_faults_disarm(void);

// The same for suites that run at once: each has a number of its own. 0 is the one of the functions above.
enum { VAULT_FAULT_PLANS = 4 };
void vault_faults_arm_plan(int number, const char *directory, int kinds, int nth, int fault, int for_good);
int vault_faults_disarm_plan(int number);

// The other half: a record of what was done to one file, to build from it what a power cut may leave.
enum {
    VAULT_EVENT_WRITE,         // on its way to the disk until the next flush
    VAULT_EVENT_DURABLE_WRITE, // on the disk (O_DSYNC)
    VAULT_EVENT_FLUSH,
    VAULT_EVENT_MARK, // the test's own: here `number` had been answered
};

struct vault_event {
    int kind, number;
    long offset, length;
    const unsigned char *bytes; // valid until the next vault_record
};

// Begins a record of the file, in place of the last; 0, or -1 when there is no such file.
int vault_record(const char *path);
void vault_record_mark(int number);
// Ends it, and returns how many events there are.
int vault_record_stop(void);
struct vault_event vault_recorded(int number);

#endif
