/* A UDP relay without a contract: `relay PORT UPSTREAM_PORT [batch]`. A connected socket for each client, a version 2
   header in front of each datagram; with `batch` it reads and answers up to 64 datagrams in one call. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MOST 64
#define MOST_BYTES 2048
#define HEADER 28

static const unsigned char start[16] = {13, 10, 13, 10, 0, 13, 10, 'Q', 'U', 'I', 'T', 10, 0x21, 0x12, 0, 12};
static unsigned char bytes[MOST][MOST_BYTES], header[HEADER];
static struct sockaddr_in from[MOST], clients[65536];
static struct iovec vectors[MOST];
static struct mmsghdr messages[MOST];
static int flows[65536];

static int bound(int port, struct sockaddr_in *at) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 4 << 20;
  *at = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (fd < 0 || bind(fd, (struct sockaddr *)at, sizeof *at)) exit((perror("bind"), 1));
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void prepare(void) {
  for (int i = 0; i < MOST; i++) {
    vectors[i] = (struct iovec){bytes[i], MOST_BYTES};
    messages[i].msg_hdr = (struct msghdr){&from[i], sizeof from[i], &vectors[i], 1, NULL, 0, 0};
  }
}

static int receive(int fd, int batch) {
  prepare();
  if (batch) return recvmmsg(fd, messages, MOST, 0, NULL);
  ssize_t length = recvmsg(fd, &messages[0].msg_hdr, 0);
  messages[0].msg_len = length < 0 ? 0 : length;
  return length < 0 ? -1 : 1;
}

static void up(int epoll, int upstream, const struct sockaddr_in *client, struct iovec payload) {
  int port = ntohs(client->sin_port), fd = flows[port];
  if (fd == 0) {
    struct sockaddr_in at, to = *client;
    fd = flows[port] = bound(0, &at);
    to.sin_port = htons(upstream);
    connect(fd, (struct sockaddr *)&to, sizeof to);
    clients[fd] = *client;
    watch(epoll, fd);
  }
  memcpy(header + 16, &client->sin_addr, 4);
  memcpy(header + 24, &client->sin_port, 2);
  struct iovec whole[2] = {{header, HEADER}, payload};
  struct msghdr message = {.msg_iov = whole, .msg_iovlen = 2};
  sendmsg(fd, &message, 0);
}

static void down(int listener, int fd, int count, int batch) {
  for (int i = 0; i < count; i++) {
    from[i] = clients[fd];
    vectors[i].iov_len = messages[i].msg_len;
  }
  if (batch) sendmmsg(listener, messages, count, 0);
  else sendmsg(listener, &messages[0].msg_hdr, 0);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int batch = argc > 3, upstream = atoi(argv[2]), epoll = epoll_create1(0);
  struct sockaddr_in own;
  struct epoll_event events[MOST];
  int listener = bound(atoi(argv[1]), &own);
  memcpy(header, start, sizeof start);
  memcpy(header + 20, &own.sin_addr, 4);
  memcpy(header + 26, &own.sin_port, 2);
  watch(epoll, listener);
  for (;;) {
    int ready = epoll_wait(epoll, events, MOST, -1);
    for (int e = 0; e < ready; e++) {
      int fd = events[e].data.fd, count;
      while ((count = receive(fd, batch)) > 0) {
        if (fd != listener) down(listener, fd, count, batch);
        else
          for (int i = 0; i < count; i++)
            up(epoll, upstream, &from[i], (struct iovec){bytes[i], messages[i].msg_len});
        if (batch && count < MOST) break;
      }
    }
  }
}
