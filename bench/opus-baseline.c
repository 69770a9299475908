/* What libopus itself costs: encodes a raw s16le file in frames of 20 ms, decodes it, prints us of CPU a frame.
 * cc -O2 opus-baseline.c -lopus -o opus-baseline && ./opus-baseline FILE RATE CHANNELS APPLICATION BITRATE */
#include <opus/opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MAX_FRAMES 100000
#define MAX_PACKET 3828

static double cpu_us(void) { return (double)clock() * 1e6 / CLOCKS_PER_SEC; }

int main(int argc, char **argv) {
  static unsigned char packets[MAX_FRAMES][MAX_PACKET / 3];
  static int lengths[MAX_FRAMES];
  static opus_int16 pcm[5760 * 2];
  if (argc != 6) return 2;
  FILE *file = fopen(argv[1], "rb");
  int rate = atoi(argv[2]), channels = atoi(argv[3]), frame = rate / 50, error = 0, frames = 0;
  OpusEncoder *encoder = opus_encoder_create(rate, channels, atoi(argv[4]), &error);
  OpusDecoder *decoder = error ? NULL : opus_decoder_create(rate, channels, &error);
  if (!file || error) return 3;
  opus_encoder_ctl(encoder, OPUS_SET_BITRATE(atoi(argv[5])));
  opus_encoder_ctl(encoder, OPUS_SET_COMPLEXITY(10));
  double start = cpu_us();
  while (frames < MAX_FRAMES && fread(pcm, 2 * (size_t)channels, (size_t)frame, file) == (size_t)frame) {
    lengths[frames] = opus_encode(encoder, pcm, frame, packets[frames], MAX_PACKET / 3);
    if (lengths[frames++] < 0) return 4;
  }
  double encoded = cpu_us();
  for (int i = 0; i < frames; i++)
    if (opus_decode(decoder, packets[i], lengths[i], pcm, 5760, 0) != frame) return 5;
  double decoded = cpu_us();
  printf("%f %f\n", (encoded - start) / frames, (decoded - encoded) / frames);
  opus_encoder_destroy(encoder);
  opus_decoder_destroy(decoder);
  return fclose(file);
}
