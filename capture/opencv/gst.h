#ifndef SEGEDGE_GST_H
#define SEGEDGE_GST_H

// gst_check lets GStreamer itself read a pipeline, which nothing runs: 0 if it can, 1 with its reason if not, 2 if this
// process has no GStreamer.
int gst_check(const char *pipeline, char *reason, int size);

#endif
