#include <malloc.h>
#include "heaps.h"

#ifdef __GLIBC__
// Go's runtime starts its threads before anything of Go runs, and each takes a heap of its own with its first allocation unless the
// number is bounded by then: later the bound is kept for new heaps only. So it is set when the program is loaded.
__attribute__((constructor)) static void bound_heaps(void) { mallopt(M_ARENA_MAX, MOST_HEAPS); }
void trim(void) { malloc_trim(0); }
#else
void trim(void) {}
#endif
