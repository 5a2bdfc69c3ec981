#include "bridge.h"

#include <cstring>
#include <new>

#include <openh264/codec_api.h>

struct h264_encoder {
  ISVCEncoder *engine;
  int width, height;
  SFrameBSInfo unit; // points into the engine until its next call
};

static int initialize(ISVCEncoder *engine, int width, int height, float fps, int bitrate, unsigned interval) {
  int silent = WELS_LOG_QUIET; // it would write to the process's standard error
  engine->SetOption(ENCODER_OPTION_TRACE_LEVEL, &silent);
  SEncParamExt p;
  if (int err = engine->GetDefaultParams(&p)) return err;
  p.iUsageType = CAMERA_VIDEO_REAL_TIME;
  p.iPicWidth = width;
  p.iPicHeight = height;
  p.fMaxFrameRate = fps;
  p.iTargetBitrate = p.iMaxBitrate = bitrate;
  p.iRCMode = RC_BITRATE_MODE;
  p.bEnableFrameSkip = false; // a viewer's clock and the frame counts stay true; the quality gives way instead
  p.iComplexityMode = LOW_COMPLEXITY;
  p.uiIntraPeriod = interval;
  p.iMultipleThreadIdc = 1; // one core of a small box; the tracker and the model have the others
  p.eSpsPpsIdStrategy = CONSTANT_ID;
  SSpatialLayerConfig &l = p.sSpatialLayers[0];
  l.iVideoWidth = width;
  l.iVideoHeight = height;
  l.fFrameRate = fps;
  l.iSpatialBitrate = l.iMaxSpatialBitrate = bitrate;
  l.uiProfileIdc = PRO_BASELINE;
  l.sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
  l.sSliceArgument.uiSliceNum = 1;
  // video.Picture's colours. A browser that is not told takes BT.601 for BT.709 and turns red to orange.
  l.bVideoSignalTypePresent = true;
  l.uiVideoFormat = VF_UNDEF;
  l.bFullRange = false;
  l.bColorDescriptionPresent = true;
  l.uiColorPrimaries = CP_BT709;
  l.uiTransferCharacteristics = TRC_BT709;
  l.uiColorMatrix = CM_SMPTE170M;
  if (int err = engine->InitializeExt(&p)) return err;
  int format = videoFormatI420;
  return engine->SetOption(ENCODER_OPTION_DATAFORMAT, &format);
}

int h264_open(int width, int height, float fps, int bitrate, unsigned interval, h264_encoder **out) {
  ISVCEncoder *engine = nullptr;
  if (int err = WelsCreateSVCEncoder(&engine)) return err;
  int err = initialize(engine, width, height, fps, bitrate, interval);
  h264_encoder *e = err ? nullptr : new (std::nothrow) h264_encoder();
  if (!e) {
    WelsDestroySVCEncoder(engine);
    return err ? err : cmMallocMemeError;
  }
  e->engine = engine;
  e->width = width;
  e->height = height;
  *out = e;
  return 0;
}

int h264_encode(h264_encoder *e, uint8_t *i420, int64_t milliseconds, int keyframe, int *size) {
  *size = 0;
  if (keyframe) {
    if (int err = e->engine->ForceIntraFrame(true)) return err;
  }
  SSourcePicture pic;
  std::memset(&pic, 0, sizeof pic);
  pic.iColorFormat = videoFormatI420;
  pic.iPicWidth = e->width;
  pic.iPicHeight = e->height;
  pic.iStride[0] = e->width;
  pic.iStride[1] = pic.iStride[2] = e->width / 2;
  pic.pData[0] = i420;
  pic.pData[1] = i420 + e->width * e->height;
  pic.pData[2] = pic.pData[1] + e->width * e->height / 4;
  pic.uiTimeStamp = milliseconds;
  std::memset(&e->unit, 0, sizeof e->unit);
  if (int err = e->engine->EncodeFrame(&pic, &e->unit)) return err;
  if (e->unit.eFrameType != videoFrameTypeSkip) *size = e->unit.iFrameSizeInBytes;
  return 0;
}

void h264_take(h264_encoder *e, uint8_t *dst) {
  for (int i = 0; i < e->unit.iLayerNum; i++) {
    const SLayerBSInfo &l = e->unit.sLayerInfo[i];
    int n = 0;
    for (int k = 0; k < l.iNalCount; k++) n += l.pNalLengthInByte[k];
    std::memcpy(dst, l.pBsBuf, n);
    dst += n;
  }
}

int h264_bitrate(h264_encoder *e, int bitrate) {
  SBitrateInfo most = {SPATIAL_LAYER_ALL, bitrate}, target = most;
  // The target may not exceed the maximum at any moment.
  int up = e->engine->SetOption(ENCODER_OPTION_MAX_BITRATE, &most);
  int err = e->engine->SetOption(ENCODER_OPTION_BITRATE, &target);
  int down = e->engine->SetOption(ENCODER_OPTION_MAX_BITRATE, &most);
  return err ? err : (up && down ? down : 0);
}

void h264_close(h264_encoder *e) {
  e->engine->Uninitialize();
  WelsDestroySVCEncoder(e->engine);
  delete e;
}
