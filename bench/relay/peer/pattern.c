// Two pseudo-random streams, one for each direction, that repeat after a prime number of bytes.

#include "peer.h"

enum { PERIOD = 65521 };

static uint8_t streams[2][PERIOD + CHUNK];

void make_patterns(void) {
  uint64_t state = 0x9e3779b97f4a7c15u;
  for (int direction = UP; direction <= DOWN; direction++) {
    for (size_t i = 0; i < sizeof streams[direction]; i++) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      streams[direction][i] = i < PERIOD ? (uint8_t)(state >> 56) : streams[direction][i - PERIOD];
    }
  }
}

const uint8_t *pattern(int direction, uint64_t offset) { return streams[direction] + offset % PERIOD; }
