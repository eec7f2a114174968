/* A time of day that differs by GENO_CLOCK seconds; clocks that only measure stay as they are. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <time.h>

int clock_gettime(clockid_t clock, struct timespec *told) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, told);
    const char *shift = getenv("GENO_CLOCK");
    if (code == 0 && shift && clock == CLOCK_REALTIME) told->tv_sec += atoi(shift);
    return code;
}
