// Between the calls and the recorder.
#include <sys/types.h>
#include <sys/uio.h>

// Notes what a call has done to a file that is being recorded.
void vault_recorder_wrote(int descriptor, off_t offset, const struct iovec *parts, int count);
void vault_recorder_flushed(int descriptor);
