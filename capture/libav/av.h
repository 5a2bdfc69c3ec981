// The part of capture/libav that talks to FFmpeg: one open stream, read picture by picture. See libav.go.
#ifndef SEGEDGE_AV_H
#define SEGEDGE_AV_H

#include <stdint.h>

typedef struct av_source av_source;

// A picture that was decoded: its size with square pixels, how it is to be turned (EXIF orientation, 1..8), and its time in
// seconds, NaN if unknown.
typedef struct {
  int width, height, turn;
  double seconds;
} av_shape;

// What av_facts knows of an open source.
typedef struct {
  double fps;         // announced; 0 where unknown, maybe until the first picture
  int recorded;       // has an end
  int bursts;         // comes in pieces of some seconds, each at once
  const char *codec;  // static
} av_facts;

// Why something failed, as far as it can be told apart.
enum {
  AV_WHY_OTHER, AV_WHY_STOPPED, AV_WHY_UNAUTHORIZED, AV_WHY_FORBIDDEN, AV_WHY_NOT_FOUND, AV_WHY_REFUSED_REQUEST,
  AV_WHY_SERVER, AV_WHY_REFUSED, AV_WHY_TIMEOUT, AV_WHY_UNREACHABLE, AV_WHY_RESET, AV_WHY_TRANSPORT, AV_WHY_NOT_VIDEO,
  AV_WHY_NO_STREAM, AV_WHY_NO_DECODER, AV_WHY_ENDED, AV_WHY_MISSING, AV_WHY_PERMISSION, AV_WHY_PROTOCOL, AV_WHY_ENDLESS,
};

av_source *av_source_new(void);
void av_source_stop(av_source *s);   // from any thread: whatever is under way ends soon, and nothing works any more
int64_t av_source_idle(av_source *s);  // from any thread: microseconds since bytes last came
void av_source_free(av_source *s);

// These answer 0 (av_source_read: 1 for a picture, 0 at the end) or an error of FFmpeg's.
// With described, what the server says of its streams is enough: pictures are not waited for.
int av_source_open(av_source *s, const char *url, const char *options, const char *protocols, int described);
int av_source_read(av_source *s);
// After av_source_read: the picture's shape, and its pixels as packed BGR of that size, not yet turned.
av_shape av_source_shape(av_source *s);
int av_source_pixels(av_source *s, uint8_t *bgr, int width, int height);

av_facts av_source_facts(av_source *s);
int av_why(int error);
void av_text(int error, char *text, int size);
void av_catch_log(void);

#endif
