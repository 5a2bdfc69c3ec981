#include "av.h"

#include <errno.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/time.h>
#include <libswscale/swscale.h>

// max_damaged is how many packets in a row may fail before a source counts as broken.
enum { max_damaged = 500 };

// most_between is how many bytes may come without a packet: whoever never says where a picture ends would fill the memory.
enum { most_between = 64 << 20 };

// farewell_time is how long closing may take, in microseconds.
enum { farewell_time = 300000 };

struct av_source {
  AVFormatContext *fmt;
  AVCodecContext *dec;
  AVFrame *frame;
  AVPacket *packet;
  struct SwsContext *sws;
  uint8_t *bounce[4];  // a converted picture with rows that swscale may write beyond
  int bounce_line[4], bounce_w, bounce_h;
  int stream, turn, draining, damaged;
  int said;  // the turn that the pictures themselves said, 0 for none
  int opened;  // fmt is whole: a failed opening closes the connection, and asks interrupted, when fmt->pb is gone already
  int64_t position;  // in the byte stream, where there is one
  int64_t parted;    // where the newest packet ended there
  int endless;       // too much came since
  atomic_int stopped;
  int64_t farewell;  // until when closing may wait; 0 before
  atomic_llong heard;  // av_gettime_relative when bytes last came
};

static void hear(av_source *s) { atomic_store(&s->heard, av_gettime_relative()); }

// part notes where a packet ends.
static void part(av_source *s) {
  if (s->fmt->pb) s->parted = s->fmt->pb->pos;
}

// interrupted is asked by FFmpeg all the time while it waits.
static int interrupted(void *opaque) {
  av_source *s = opaque;
  if (s->opened && s->fmt && s->fmt->pb && s->fmt->pb->pos != s->position) {
    s->position = s->fmt->pb->pos;
    hear(s);
    if (!(s->fmt->pb->seekable & AVIO_SEEKABLE_NORMAL) && s->position - s->parted > most_between) s->endless = 1;
  }
  if (s->endless && !s->farewell) return 1;
  if (s->farewell) return av_gettime_relative() > s->farewell;
  return atomic_load(&s->stopped);
}

av_source *av_source_new(void) {
  av_source *s = av_mallocz(sizeof *s);
  if (s) {
    s->turn = 1;
    hear(s);
  }
  return s;
}

void av_source_stop(av_source *s) { atomic_store(&s->stopped, 1); }

int64_t av_source_idle(av_source *s) { return av_gettime_relative() - atomic_load(&s->heard); }

void av_source_free(av_source *s) {
  s->farewell = av_gettime_relative() + farewell_time;  // a camera that sends over UDP goes on until it is told
  sws_freeContext(s->sws);
  av_freep(&s->bounce[0]);
  av_packet_free(&s->packet);
  av_frame_free(&s->frame);
  avcodec_free_context(&s->dec);
  avformat_close_input(&s->fmt);
  av_free(s);
}

// better says whether a is to be taken rather than b: no cover picture, then the default, then the larger.
static int better(const AVStream *a, const AVStream *b) {
  int cover_a = !!(a->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
  int cover_b = !!(b->disposition & (AV_DISPOSITION_ATTACHED_PIC | AV_DISPOSITION_TIMED_THUMBNAILS));
  if (cover_a != cover_b) return !cover_a;
  int default_a = !!(a->disposition & AV_DISPOSITION_DEFAULT), default_b = !!(b->disposition & AV_DISPOSITION_DEFAULT);
  if (default_a != default_b) return default_a;
  return (int64_t)a->codecpar->width * a->codecpar->height > (int64_t)b->codecpar->width * b->codecpar->height;
}

// choose finds the video stream, and has everything else left unread.
static int choose(av_source *s) {
  s->stream = -1;
  for (unsigned i = 0; i < s->fmt->nb_streams; i++) {
    AVStream *st = s->fmt->streams[i];
    if (st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO && (s->stream < 0 || better(st, s->fmt->streams[s->stream]))) s->stream = i;
  }
  if (s->stream < 0) return AVERROR_STREAM_NOT_FOUND;
  for (unsigned i = 0; i < s->fmt->nb_streams; i++)
    if ((int)i != s->stream) s->fmt->streams[i]->discard = AVDISCARD_ALL;
  return 0;
}

// turn_of reads a display matrix (libavutil/display.h) as an EXIF orientation, to the nearest quarter.
static int turn_of(const int32_t *m) {
  static const int plain[4] = {1, 8, 3, 6}, mirrored[4] = {2, 7, 4, 5};
  int32_t copy[9];
  memcpy(copy, m, sizeof copy);
  double det = (double)m[0] * m[4] - (double)m[1] * m[3];
  if (det < 0) av_display_matrix_flip(copy, 1, 0);
  double angle = av_display_rotation_get(copy);  // anticlockwise
  if (isnan(angle)) return 1;
  int quarter = ((int)lround(angle / 90) % 4 + 4) % 4;
  return det < 0 ? mirrored[quarter] : plain[quarter];
}

static int stream_turn(const AVStream *st) {
  const uint8_t *data = NULL;
#if LIBAVFORMAT_VERSION_MAJOR >= 61
  const AVPacketSideData *side = av_packet_side_data_get(st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
  if (side && side->size >= 36) data = side->data;
#else
  data = av_stream_get_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#endif
  return data ? turn_of((const int32_t *)data) : 1;
}

static int open_decoder(av_source *s) {
  AVStream *st = s->fmt->streams[s->stream];
  const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);
  if (!codec) return AVERROR_DECODER_NOT_FOUND;
  if (!(s->dec = avcodec_alloc_context3(codec))) return AVERROR(ENOMEM);
  int err = avcodec_parameters_to_context(s->dec, st->codecpar);
  if (err < 0) return err;
  s->dec->pkt_timebase = st->time_base;
  s->dec->thread_count = 0;
  // Decoding several pictures at once would show each as many pictures late.
  s->dec->thread_type = FF_THREAD_SLICE;
  return avcodec_open2(s->dec, codec, NULL);
}

int av_source_open(av_source *s, const char *url, const char *options, const char *protocols, int described) {
  AVDictionary *opts = NULL;
  int err;
  if (!(s->fmt = avformat_alloc_context()) || !(s->frame = av_frame_alloc()) || !(s->packet = av_packet_alloc())) return AVERROR(ENOMEM);
  s->fmt->interrupt_callback = (AVIOInterruptCB){interrupted, s};
  if ((err = av_dict_parse_string(&opts, options, ";", "|", 0)) < 0) goto out;
  av_dict_set(&opts, "protocol_whitelist", protocols, AV_DICT_DONT_OVERWRITE);
  if ((err = avformat_open_input(&s->fmt, url, NULL, &opts)) < 0) goto out;
  s->opened = 1;
  hear(s);
  if (!described && (err = avformat_find_stream_info(s->fmt, NULL)) < 0) goto out;
  hear(s);
  part(s);
  if ((err = choose(s)) < 0) goto out;
  s->turn = stream_turn(s->fmt->streams[s->stream]);
  err = open_decoder(s);
out:
  av_dict_free(&opts);
  return s->endless ? AVERROR(EMSGSIZE) : err;
}

// fill gives the decoder its next packet. A packet that it cannot use is passed over.
static int fill(av_source *s) {
  int err = av_read_frame(s->fmt, s->packet);
  part(s);
  if (s->endless) return AVERROR(EMSGSIZE);
  if (err == AVERROR(EAGAIN)) return 0;
  if (err == AVERROR_INVALIDDATA && ++s->damaged < max_damaged) return 0;
  if (err == AVERROR_EOF) {
    s->draining = 1;
    avcodec_send_packet(s->dec, NULL);
    return 0;
  }
  if (err < 0) return err;
  hear(s);
  err = s->packet->stream_index == s->stream ? avcodec_send_packet(s->dec, s->packet) : 0;
  av_packet_unref(s->packet);
  if (err < 0 && err != AVERROR(EAGAIN)) return ++s->damaged < max_damaged ? 0 : err;
  return 0;
}

int av_source_read(av_source *s) {
  for (;;) {
    int err = avcodec_receive_frame(s->dec, s->frame);
    if (err == 0) {
      if (s->frame->width < 1 || s->frame->height < 1) continue;
      s->damaged = 0;
      return 1;
    }
    if (err == AVERROR_EOF) return 0;
    if (err != AVERROR(EAGAIN) && ++s->damaged >= max_damaged) return err;
    if (atomic_load(&s->stopped)) return AVERROR_EXIT;
    if (s->draining) {
      if (err != AVERROR(EAGAIN)) continue;
      return 0;
    }
    if ((err = fill(s)) < 0) return err;
  }
}

// shown gives the size at which square pixels show a picture of this size in its right shape: its width is changed.
static int shown_width(av_source *s, int width) {
  AVRational sar = s->frame->sample_aspect_ratio;
  if (sar.num < 1 || sar.den < 1) sar = s->fmt->streams[s->stream]->sample_aspect_ratio;
  double wide = sar.num > 0 && sar.den > 0 ? av_q2d(sar) : 1;
  if (wide < 0.25 || wide > 4 || fabs(wide - 1) < 0.005) return width;
  return FFMAX(2, (int)lround(width * wide / 2) * 2);
}

// picture_turn is how the picture is to be turned. What one says of it holds for those that follow; of pictures that know nothing of each
// other, each speaks for itself.
static int picture_turn(av_source *s) {
  const AVFrameSideData *matrix = av_frame_get_side_data(s->frame, AV_FRAME_DATA_DISPLAYMATRIX);
  const AVCodecDescriptor *codec = avcodec_descriptor_get(s->dec->codec_id);
  if (matrix && matrix->size >= 36) s->said = turn_of((const int32_t *)matrix->data);
  else if (codec && codec->props & AV_CODEC_PROP_INTRA_ONLY) s->said = 0;
  return s->said ? s->said : s->turn;
}

av_shape av_source_shape(av_source *s) {
  const AVFrame *f = s->frame;
  int64_t t = f->best_effort_timestamp;
  return (av_shape){
      .width = shown_width(s, f->width), .height = f->height,
      .turn = picture_turn(s),
      .seconds = t == AV_NOPTS_VALUE ? NAN : t * av_q2d(s->fmt->streams[s->stream]->time_base),
  };
}

// colours tells swscale how the picture's luma and chroma are meant. It must be told again whenever the context is another.
static void colours(struct SwsContext *sws, const AVFrame *f) {
  int matrix = SWS_CS_DEFAULT;
  if (f->colorspace == AVCOL_SPC_BT709) matrix = SWS_CS_ITU709;
  else if (f->colorspace == AVCOL_SPC_BT2020_NCL || f->colorspace == AVCOL_SPC_BT2020_CL) matrix = SWS_CS_BT2020;
  else if (f->colorspace == AVCOL_SPC_SMPTE240M) matrix = SWS_CS_SMPTE240M;
  const int *table = sws_getCoefficients(matrix);
  sws_setColorspaceDetails(sws, table, f->color_range == AVCOL_RANGE_JPEG, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16, 1 << 16);
}

// full_range_twin replaces the formats whose name says full range, about which swscale complains on every picture.
static enum AVPixelFormat full_range_twin(AVFrame *f) {
  static const enum AVPixelFormat twins[][2] = {
      {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P}, {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P}, {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
      {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P}, {AV_PIX_FMT_YUVJ411P, AV_PIX_FMT_YUV411P}};
  for (unsigned i = 0; i < FF_ARRAY_ELEMS(twins); i++)
    if (f->format == (int)twins[i][0]) {
      f->color_range = AVCOL_RANGE_JPEG;
      return twins[i][1];
    }
  return f->format;
}

int av_source_pixels(av_source *s, uint8_t *bgr, int width, int height) {
  AVFrame *f = s->frame;
  enum AVPixelFormat format = full_range_twin(f);
  s->sws = sws_getCachedContext(s->sws, f->width, f->height, format, width, height, AV_PIX_FMT_BGR24, SWS_BICUBIC, NULL, NULL, NULL);
  if (!s->sws) return AVERROR(EINVAL);
  colours(s->sws, f);
  uint8_t *dst[4] = {bgr};
  int line[4] = {3 * width};
  int direct = width % 32 == 0;  // else swscale would write a little beyond the end of a row, and of the last one
  if (!direct && (s->bounce_w != width || s->bounce_h != height)) {
    av_freep(&s->bounce[0]);
    int err = av_image_alloc(s->bounce, s->bounce_line, FFALIGN(width, 32), height + 1, AV_PIX_FMT_BGR24, 64);
    if (err < 0) {
      s->bounce_w = 0;
      return err;
    }
    s->bounce_w = width, s->bounce_h = height;
  }
  int done = sws_scale(s->sws, (const uint8_t *const *)f->data, f->linesize, 0, f->height, direct ? dst : s->bounce, direct ? line : s->bounce_line);
  if (done != height) return done < 0 ? done : AVERROR(EINVAL);
  if (!direct) av_image_copy_plane(bgr, 3 * width, s->bounce[0], s->bounce_line[0], 3 * width, height);
  return 0;
}

// recorded: a length in time, or in bytes, is that of something that exists already.
static int recorded(const av_source *s) {
  if (s->fmt->duration != AV_NOPTS_VALUE && s->fmt->duration > 0) return 1;
  const char *format = s->fmt->iformat->name;
  return s->fmt->pb && avio_size(s->fmt->pb) > 0 && strcmp(format, "hls") && strcmp(format, "mpjpeg");
}

av_facts av_source_facts(av_source *s) {
  AVStream *st = s->fmt->streams[s->stream];
  AVRational rate = s->dec->framerate.num > 0 && !st->avg_frame_rate.num ? s->dec->framerate
                    : st->avg_frame_rate.num > 0 ? st->avg_frame_rate : st->r_frame_rate;
  return (av_facts){
      .fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0,
      .recorded = recorded(s),
      .bursts = !strcmp(s->fmt->iformat->name, "hls"),
      .codec = avcodec_get_name(st->codecpar->codec_id),
  };
}

int av_why(int error) {
  switch (error) {
    case AVERROR_EXIT: return AV_WHY_STOPPED;
    case AVERROR_HTTP_UNAUTHORIZED: return AV_WHY_UNAUTHORIZED;
    case AVERROR_HTTP_FORBIDDEN: return AV_WHY_FORBIDDEN;
    case AVERROR_HTTP_NOT_FOUND: return AV_WHY_NOT_FOUND;
    case AVERROR_HTTP_BAD_REQUEST:
    case AVERROR_HTTP_OTHER_4XX: return AV_WHY_REFUSED_REQUEST;
    case AVERROR_HTTP_SERVER_ERROR: return AV_WHY_SERVER;
    case AVERROR(ECONNREFUSED): return AV_WHY_REFUSED;
    case AVERROR(ETIMEDOUT): return AV_WHY_TIMEOUT;
    case AVERROR(EHOSTUNREACH):
    case AVERROR(ENETUNREACH): return AV_WHY_UNREACHABLE;
    case AVERROR(ECONNRESET):
    case AVERROR(EPIPE): return AV_WHY_RESET;
    case AVERROR(EPROTONOSUPPORT): return AV_WHY_TRANSPORT;
    case AVERROR_INVALIDDATA: return AV_WHY_NOT_VIDEO;
    case AVERROR(EMSGSIZE): return AV_WHY_ENDLESS;
    case AVERROR_STREAM_NOT_FOUND: return AV_WHY_NO_STREAM;
    case AVERROR_DECODER_NOT_FOUND: return AV_WHY_NO_DECODER;
    case AVERROR_EOF: return AV_WHY_ENDED;
    case AVERROR(ENOENT): return AV_WHY_MISSING;
    case AVERROR(EACCES):
    case AVERROR(EPERM): return AV_WHY_PERMISSION;
    case AVERROR_PROTOCOL_NOT_FOUND: return AV_WHY_PROTOCOL;
  }
  return AV_WHY_OTHER;
}

void av_text(int error, char *text, int size) { av_strerror(error, text, size); }

void segedgeFFmpegLine(int level, char *line);  // exported by log.go

static void catch_line(void *avcl, int level, const char *format, va_list args) {
  if (level > AV_LOG_WARNING) return;
  char line[512];
  int prefix = 1;
  av_log_format_line2(avcl, level, format, args, line, sizeof line, &prefix);
  segedgeFFmpegLine(level, line);
}

void av_catch_log(void) { av_log_set_callback(catch_line); }
