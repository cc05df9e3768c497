// Behind the proxy: takes the header off, looks at it, and does what the request behind it asks for. Every byte of a bulk
// request is compared with what it must be.

#define _GNU_SOURCE
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEADER, REQUEST, ECHOING, BULKING, DONE };

static const uint8_t signature[12] = "\r\n\r\n\0\r\nQUIT\n";

uint64_t backend_open;
uint64_t backend_sent;

static void finish(struct conn *c) {
  backend_open--;
  drop(c);
}

static void fail(struct conn *c, const char *what) {
  fault(what);
  finish(c);
}

static void check_port(unsigned port) {
  if (port > 65535 || !live_ports[port]) fault("a header names a port that no client has");
}

// The length of the header at the start of the bytes, 0 while it is not whole, -1 where there is none.
static int header_length(const uint8_t *bytes, uint32_t length) {
  if (length < 16) return 0;
  if (memcmp(bytes, signature, 12) == 0) {
    uint32_t whole = 16 + (uint32_t)(bytes[14] << 8 | bytes[15]);
    if (bytes[12] != 0x21 || bytes[13] != 0x11 || whole < 28 || whole > 512 - REQUEST_LENGTH) return -1;
    if (length < whole) return 0;
    if (bytes[16] != 127) fault("a header names a client that is not on loopback");
    check_port((unsigned)(bytes[24] << 8 | bytes[25]));
    tally.v2++;
    return (int)whole;
  }
  if (memcmp(bytes, "PROXY TCP4 127.", 15) != 0) return -1;
  const uint8_t *end = memmem(bytes, length, "\r\n", 2);
  if (end == NULL) return length > 107 ? -1 : 0;
  unsigned port = 0;
  sscanf((const char *)bytes, "PROXY TCP4 %*s %*s %u", &port);
  check_port(port);
  tally.v1++;
  return (int)(end - bytes) + 2;
}

static void send_all(struct conn *c, const uint8_t *bytes, size_t length) {
  if (send(c->fd, bytes, length, MSG_NOSIGNAL) != (ssize_t)length) fail(c, "the backend could not send a reply");
}

static void send_bulk(struct conn *c) {
  if (c->sent < c->to_send) {
    uint64_t rest = c->to_send - c->sent;
    ssize_t n = send(c->fd, pattern(DOWN, c->base + c->sent), rest < CHUNK ? rest : CHUNK, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return fail(c, "a bulk request was cut off at the backend");
    if (n > 0) c->sent += (uint64_t)n, backend_sent += (uint64_t)n;
  }
  if (c->sent == c->to_send && c->received == c->to_receive) {
    static const uint8_t verdict = VERDICT;
    c->stage = DONE;
    want(c, EPOLLIN);
    send_all(c, &verdict, 1);
    return;
  }
  want(c, EPOLLIN | (c->sent < c->to_send ? EPOLLOUT : 0));
}

static void receive_bulk(struct conn *c, const uint8_t *bytes, size_t length) {
  if (length > c->to_receive - c->received) return fail(c, "the backend received too much");
  if (memcmp(bytes, pattern(UP, c->base + c->received), length) != 0) return fail(c, "bytes changed on the way up");
  c->received += length;
}

static void start_bulk(struct conn *c, const uint8_t *request) {
  memcpy(&c->base, request + 4, 4);
  memcpy(&c->to_receive, request + 8, 8);
  memcpy(&c->to_send, request + 16, 8);
  c->stage = BULKING;
}

// What came before the request was whole.
static void start(struct conn *c) {
  uint32_t at = 0;
  if (c->stage == HEADER) {
    int header = header_length(c->bytes, c->length);
    if (header == 0) return;
    if (header < 0) tally.bare++;
    else at = (uint32_t)header;
    c->stage = REQUEST;
    memmove(c->bytes, c->bytes + at, c->length - at);
    c->length -= at;
  }
  if (c->length == 0) return;
  if (c->bytes[0] == ECHO) {
    c->stage = ECHOING;
    return send_all(c, c->bytes, c->length);
  }
  if (c->bytes[0] != BULK) return fail(c, "the backend received no request that it knows");
  if (c->length < REQUEST_LENGTH) return;
  start_bulk(c, c->bytes);
  receive_bulk(c, c->bytes + REQUEST_LENGTH, c->length - REQUEST_LENGTH);
  if (c->fd >= 0) send_bulk(c);
}

static void on_ready(struct conn *c, uint32_t events) {
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
    bool early = c->stage == HEADER || c->stage == REQUEST;
    uint8_t *into = early ? c->bytes + c->length : scratch;
    ssize_t n = recv(c->fd, into, early ? sizeof c->bytes - c->length : CHUNK, 0);
    if (n < 0 && errno == EAGAIN) n = 0;
    else if (n < 0) return fail(c, "a connection was reset at the backend");
    else if (n == 0) {
      if (c->stage == BULKING) return fail(c, "a bulk request ended too early at the backend");
      return finish(c);
    }
    if (early) {
      c->length += (uint32_t)n;
      return start(c);
    }
    if (c->stage == ECHOING) return send_all(c, scratch, (size_t)n);
    if (c->stage == DONE && n > 0) return fail(c, "the backend received too much");
    receive_bulk(c, scratch, (size_t)n);
  }
  if (c->fd >= 0 && c->stage == BULKING) send_bulk(c);
}

static void on_accept(struct conn *listener, uint32_t events) {
  (void)events;
  int fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  backend_open++;
  want(watch(fd, on_ready), EPOLLIN);
}

int backend_listen(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof at;
  if (bind(fd, (struct sockaddr *)&at, length) != 0 || listen(fd, 4096) != 0) return -1;
  getsockname(fd, (struct sockaddr *)&at, &length);
  want(watch(fd, on_accept), EPOLLIN);
  return ntohs(at.sin_port);
}
