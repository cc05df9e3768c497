/* Both ends of a UDP relay. `peer echo` prints its port and sends each datagram back.
   `peer load PORT FLOWS COUNT [HEX]` keeps one datagram of 64 bytes under way for each flow, behind the bytes of HEX
   if there are some (XXXX in it stands for the flow), and prints how many came back and how many were lost. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 64
#define MOST_BYTES 2048
#define MOST_FLOWS 1024
#define PAYLOAD 64
#define PATIENCE 500 /* milliseconds until a datagram is lost */

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return at;
}

static int bound(void) {
  struct sockaddr_in at = loopback(0);
  int fd = socket(AF_INET, SOCK_DGRAM, 0), size = 4 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at)) exit((perror("socket"), 1));
  return fd;
}

static void echo(void) {
  static char bytes[BATCH][MOST_BYTES];
  static struct sockaddr_in from[BATCH];
  struct mmsghdr messages[BATCH];
  struct iovec vectors[BATCH];
  struct sockaddr_in own;
  socklen_t length = sizeof own;
  int fd = bound();
  getsockname(fd, (struct sockaddr *)&own, &length);
  printf("%d\n", ntohs(own.sin_port));
  fflush(stdout);
  for (;;) {
    for (int i = 0; i < BATCH; i++) {
      vectors[i] = (struct iovec){bytes[i], MOST_BYTES};
      messages[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &vectors[i], 1, NULL, 0, 0};
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
    for (int i = 0; i < count; i++) vectors[i].iov_len = messages[i].msg_len;
    if (count > 0) sendmmsg(fd, messages, count, 0);
  }
}

static int unhex(const char *text, int flow, unsigned char *out) {
  int length = 0;
  for (; text[0] && text[1]; text += 2) {
    unsigned byte;
    if (text[0] == 'X') {
      out[length++] = flow >> 8;
      out[length++] = flow;
      text += 2;
    } else if (sscanf(text, "%2x", &byte) == 1) {
      out[length++] = byte;
    }
  }
  return length;
}

static void load(int port, int flows, long count, const char *hex) {
  static struct pollfd polled[MOST_FLOWS];
  static unsigned char sent[MOST_FLOWS][MOST_BYTES];
  static int lengths[MOST_FLOWS];
  char bytes[MOST_BYTES];
  struct sockaddr_in at = loopback(port);
  long back = 0, lost = 0, under_way = 0, left = count;
  if (flows > MOST_FLOWS) exit(2);
  for (int i = 0; i < flows; i++) {
    polled[i] = (struct pollfd){bound(), POLLIN, 0};
    connect(polled[i].fd, (struct sockaddr *)&at, sizeof at);
    lengths[i] = unhex(hex, 1024 + i, sent[i]) + PAYLOAD;
    if (left-- > 0) under_way += send(polled[i].fd, sent[i], lengths[i], 0) > 0;
  }
  while (under_way > 0) {
    if (poll(polled, flows, PATIENCE) == 0) {
      lost += under_way;
      under_way = 0;
      for (int i = 0; i < flows && left > 0; i++, left--) under_way += send(polled[i].fd, sent[i], lengths[i], 0) > 0;
    }
    for (int i = 0; i < flows; i++) {
      if (!polled[i].revents || recv(polled[i].fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0) continue;
      back++, under_way--;
      if (left > 0 && left--) under_way += send(polled[i].fd, sent[i], lengths[i], 0) > 0;
    }
  }
  printf("%ld %ld\n", back, lost);
}

int main(int argc, char **argv) {
  if (argc == 2 && !strcmp(argv[1], "echo")) echo();
  if (argc >= 5 && !strcmp(argv[1], "load"))
    load(atoi(argv[2]), atoi(argv[3]), atol(argv[4]), argc > 5 ? argv[5] : "");
  return 0;
}
