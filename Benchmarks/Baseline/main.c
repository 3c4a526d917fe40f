#include "baseline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "baseline load DIR RECORDS ENDED SIZE           make a store\n"
    "baseline read DIR RECORDS SECONDS THREADS      get and open, at random\n"
    "baseline latency DIR RECORDS COUNT             the same, each by the clock\n"
    "baseline put DIR RECORDS SECONDS WRITERS SIZE  durable overwrites at random, committed in groups\n"
    "baseline scan DIR                              open all in order\n"
    "baseline backup DIR FILE | verify DIR FILE | restore DIR FILE NEWDIR\n"
    "baseline rotate DIR                            seal all with another key, read all back\n"
    "baseline sweep DIR COUNT                       remove what has ended\n";

int main(int count, char **words) {
    if (sodium_init() < 0) return 1;
    make_term_keys();
    const char *command = count > 1 ? words[1] : "";
#define IS(name, arguments) (!strcmp(command, name) && count == 2 + (arguments))
#define NUMBER(place) ((uint32_t)strtoul(words[place], NULL, 10))
    if (IS("load", 4)) load(words[2], NUMBER(3), NUMBER(4), NUMBER(5));
    else if (IS("read", 4)) read_records(words[2], NUMBER(3), atof(words[4]), NUMBER(5));
    else if (IS("latency", 3)) latency(words[2], NUMBER(3), NUMBER(4));
    else if (IS("put", 5)) put_records(words[2], NUMBER(3), atof(words[4]), NUMBER(5), NUMBER(6));
    else if (IS("scan", 1)) scan(words[2]);
    else if (IS("backup", 2)) backup(words[2], words[3]);
    else if (IS("verify", 2)) verify(words[3]);
    else if (IS("restore", 3)) restore(words[3], words[4]);
    else if (IS("rotate", 1)) rotate(words[2]);
    else if (IS("sweep", 2)) sweep(words[2], NUMBER(3));
    else return fputs(usage, stderr), 64;
    return 0;
}
