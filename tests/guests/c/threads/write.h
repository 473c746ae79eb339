// Writes profiles as Go's golden programs do: DIR/NAME.pb.gz, or DIR/NAME.debugN.txt.
#ifndef WRITE_H
#define WRITE_H

#include "../../../../guest-sdk/include/wprof.h"

#include <stdio.h>
#include <stdlib.h>

static int put(void *file, const void *bytes, size_t len) { return fwrite(bytes, 1, len, file) != len; }

static inline void write_profile(const char *dir, const char *name, int debug) {
    char path[1024];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(path + n, sizeof path - n, debug ? ".debug%d.txt" : ".pb.gz", debug);
    FILE *file = fopen(path, "wb");
    int32_t profile = wprof_profile_lookup(name);
    int32_t result = file && profile > 0 ? wprof_profile_write(profile, debug, put, file) : WPROF_ERR_UNAVAILABLE;
    if (!file || fclose(file) || result < 0) {
        fprintf(stderr, "%s: %s\n", path, wprof_strerror(result));
        exit(1);
    }
}

#endif
