#include "gst.h"

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>

// What is used of GStreamer 1.x, whose headers are not needed to build against OpenCV.
typedef struct { uint32_t domain; int code; char *message; } gst_error;

int gst_check(const char *pipeline, char *reason, int size) {
  void *lib = dlopen("libgstreamer-1.0.so.0", RTLD_LAZY | RTLD_NOLOAD); // OpenCV has loaded it if it can use it
  if (!lib) return 2;
  int (*init)(int *, char ***, gst_error **) = dlsym(lib, "gst_init_check");
  void *(*parse)(const char *, gst_error **) = dlsym(lib, "gst_parse_launch");
  void (*unref)(void *) = dlsym(lib, "gst_object_unref");
  gst_error *error = NULL;
  if (!init || !parse || !unref || !init(NULL, NULL, &error)) return 2;
  void *element = parse(pipeline, &error);
  if (error) snprintf(reason, size, "%s", error->message); // freed by nobody: this is the process's last deed
  if (element) unref(element);
  return error != NULL;
}
