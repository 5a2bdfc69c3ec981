// The calls that package openh264 makes into the encoder, in C.
#pragma once

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct h264_encoder h264_encoder;

// h264_open makes an encoder; 0 is success, else openh264's error.
int h264_open(int width, int height, float fps, int bitrate, unsigned interval, h264_encoder **out);
// h264_encode compresses one I420 picture; *size is the length of the unit, which h264_take copies out before the next call.
int h264_encode(h264_encoder *e, uint8_t *i420, int64_t milliseconds, int keyframe, int *size);
void h264_take(h264_encoder *e, uint8_t *dst);
int h264_bitrate(h264_encoder *e, int bitrate);
void h264_close(h264_encoder *e);

#ifdef __cplusplus
}
#endif
