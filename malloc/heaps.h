#ifndef SEGEDGE_HEAPS_H
#define SEGEDGE_HEAPS_H

// How many heaps all threads share: two, since a camera's thread and the model's are busy at the same time.
#define MOST_HEAPS 2

void trim(void);

#endif
