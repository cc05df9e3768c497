// In front of the proxy: the loads. Each is bounded in what it does and in time, and checks what comes back.

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

enum { SHORT_LENGTH = 16, MESSAGE_LENGTH = 64 };
enum { SOURCES = 4 };
enum { DEADLINE = 120000 };

// What a client is there for. One that stays open does nothing once it has got its reply, but
// may be told to talk for a while.
enum { SHORT, STAYING, MESSAGES, TALKING, FLOW, STALLED };

enum { CONNECTING, SHAKING_HANDS, OPEN };

static struct conn *clients;
static uint32_t opened, finished, target;
// What SHORT goes on with: so many more to open.
static uint32_t to_open;
static int proxy_port;
static uint64_t *latencies;
static uint32_t latency_count, latency_limit, messages_started;

static void on_ready(struct conn *c, uint32_t events);
static void finish(struct conn *c);

static void fail(struct conn *c, const char *what) {
  fault(what);
  finish(c);
}

static struct conn *open_client(uint8_t role) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) abort();
  int on = 1;
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + opened % SOURCES)};
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  to.sin_port = htons((uint16_t)proxy_port);
  bind(fd, (struct sockaddr *)&from, sizeof from);
  struct conn *c = watch(fd, on_ready);
  c->role = role;
  c->id = opened++;
  c->since = now_ns();
  c->next = clients;
  if (clients != NULL) clients->previous = c;
  clients = c;
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) fault("a client could not connect");
  socklen_t length = sizeof from;
  getsockname(fd, (struct sockaddr *)&from, &length);
  c->port = ntohs(from.sin_port);
  live_ports[c->port]++;
  want(c, EPOLLOUT);
  return c;
}

static void forget(struct conn *c) {
  if (c->previous != NULL) c->previous->next = c->next;
  else clients = c->next;
  if (c->next != NULL) c->next->previous = c->previous;
  live_ports[c->port]--;
  tls_end(c);
  drop(c);
}

static void finish(struct conn *c) {
  uint8_t role = c->role;
  forget(c);
  finished++;
  if (role == SHORT && to_open > 0) to_open--, open_client(SHORT);
}

void close_clients(void) {
  while (clients != NULL) forget(clients);
}

static uint32_t message_length(const struct conn *c) { return c->role == MESSAGES || c->role == TALKING ? MESSAGE_LENGTH : SHORT_LENGTH; }

// A message that no other client sends, and that this one sends once.
static void make_message(const struct conn *c, uint8_t *message) {
  memset(message, 'x', MESSAGE_LENGTH);
  message[0] = ECHO;
  memcpy(message + 1, &c->id, 4);
  memcpy(message + 5, &c->left, 4);
}

static void send_message(struct conn *c) {
  uint8_t message[MESSAGE_LENGTH];
  make_message(c, message);
  if (c->role == MESSAGES || c->role == TALKING) c->since = now_ns();
  c->length = 0;
  want(c, EPOLLIN);
  if (transmit(c, message, message_length(c)) != (ssize_t)message_length(c))
    fail(c, "a client could not send a message");
}

static void on_message(struct conn *c) {
  uint8_t message[MESSAGE_LENGTH];
  uint32_t length = message_length(c);
  ssize_t n = receive(c, c->bytes + c->length, sizeof c->bytes - c->length);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return fail(c, "a reply is missing");
  c->length += (uint32_t)n;
  if (c->length < length) return;
  make_message(c, message);
  if (c->length > length || memcmp(c->bytes, message, length) != 0) return fail(c, "a reply is not the one expected");
  if (latency_count < latency_limit) latencies[latency_count++] = now_ns() - c->since;
  if (c->role == STAYING) {
    finished++;
    return want(c, 0);
  }
  if (c->role == SHORT || (c->role == MESSAGES && messages_started >= target)) return finish(c);
  if (messages_started >= target) {
    c->role = STAYING;
    return want(c, 0);
  }
  messages_started++;
  c->left++;
  send_message(c);
}

static void request_bulk(struct conn *c) {
  uint8_t request[REQUEST_LENGTH] = {BULK};
  c->base = c->id * 977;
  memcpy(request + 4, &c->base, 4);
  memcpy(request + 8, &c->to_send, 8);
  memcpy(request + 16, &c->to_receive, 8);
  if (transmit(c, request, sizeof request) != sizeof request) fail(c, "a client could not send a request");
}

static void receive_bulk(struct conn *c) {
  ssize_t n = receive(c, scratch, CHUNK);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return fail(c, "a bulk request ended too early at the client");
  uint64_t rest = c->to_receive - c->received;
  size_t payload = (uint64_t)n < rest ? (size_t)n : (size_t)rest;
  if (memcmp(scratch, pattern(DOWN, c->base + c->received), payload) != 0) return fail(c, "bytes changed on the way down");
  c->received += payload;
  if (payload == (size_t)n) return;
  if ((size_t)n != payload + 1 || scratch[payload] != VERDICT || c->sent != c->to_send)
    return fail(c, "a client received too much");
  finish(c);
}

static void send_bulk(struct conn *c) {
  uint64_t rest = c->to_send - c->sent;
  ssize_t n = rest == 0 ? 0 : transmit(c, pattern(UP, c->base + c->sent), rest < CHUNK ? rest : CHUNK);
  if (n < 0 && errno != EAGAIN) return fail(c, "a bulk request was cut off at the client");
  if (n > 0) c->sent += (uint64_t)n;
  want(c, EPOLLIN | (c->sent < c->to_send ? EPOLLOUT : 0));
}

static void start(struct conn *c) {
  c->stage = OPEN;
  if (c->role != FLOW && c->role != STALLED) return send_message(c);
  request_bulk(c);
  if (c->fd < 0) return;
  if (c->role == STALLED) want(c, 0);
  else send_bulk(c);
}

static void shake_hands(struct conn *c) {
  if (tls_handshake(c)) start(c);
  else if (errno != EAGAIN) fail(c, "a TLS handshake failed");
}

static void on_connected(struct conn *c) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error != 0) return fail(c, "a client could not connect");
  if (!tls_clients) return start(c);
  c->stage = SHAKING_HANDS;
  tls_start(c);
  shake_hands(c);
}

static void on_ready(struct conn *c, uint32_t events) {
  if (c->stage == CONNECTING) return on_connected(c);
  if (c->stage == SHAKING_HANDS) return shake_hands(c);
  if (c->role == STALLED) return fail(c, "a client that reads nothing was cut off");
  if (c->role != FLOW) return on_message(c);
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive_bulk(c);
  if (c->fd >= 0 && (events & EPOLLOUT)) send_bulk(c);
}

static bool is_complete(void) { return finished >= target || tally.faults > 0; }

static bool has_messages(void) { return latency_count >= target || tally.faults > 0; }

static void begin(int port, uint32_t count) {
  proxy_port = port;
  finished = 0;
  target = count;
  to_open = 0;
  messages_started = 0;
  latency_count = 0;
  latency_limit = 0;
}

static void record(uint32_t count) {
  latencies = realloc(latencies, count * sizeof *latencies);
  if (latencies == NULL) abort();
  latency_count = 0;
  latency_limit = count;
}

// Runs it to its end; the seconds it took.
static double complete(bool (*done)(void)) {
  uint64_t start = now_ns();
  if (!turn_until(done, DEADLINE)) fault("it was not done in time");
  return (double)(now_ns() - start) / 1e9;
}

static int by_size(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static double percentile(double part) {
  if (latency_count == 0) return 0;
  qsort(latencies, latency_count, sizeof *latencies, by_size);
  return (double)latencies[(uint32_t)(part * (latency_count - 1))] / 1e3;
}

static void say_times(double seconds) {
  printf("{\"seconds\":%.6f,\"p50\":%.1f,\"p99\":%.1f", seconds, percentile(0.5), percentile(0.99));
}

void load_rate(int port, uint32_t total, uint32_t parallel) {
  begin(port, total);
  record(total);
  uint32_t first = parallel < total ? parallel : total;
  to_open = total - first;
  for (uint32_t i = 0; i < first; i++) open_client(SHORT);
  say_times(complete(is_complete));
}

static void open_flow(uint8_t role, uint64_t up, uint64_t down) {
  struct conn *c = open_client(role);
  c->to_send = up;
  c->to_receive = down;
}

void load_bulk(int port, uint32_t conns, uint64_t up, uint64_t down) {
  begin(port, conns);
  for (uint32_t i = 0; i < conns; i++) open_flow(FLOW, up, down);
  say_times(complete(is_complete));
}

void load_messages(int port, uint32_t conns, uint32_t total) {
  begin(port, total);
  record(total);
  messages_started = conns;
  for (uint32_t i = 0; i < conns; i++) open_client(MESSAGES);
  double seconds = complete(has_messages);
  say_times(seconds);
}

void load_idle(int port, uint32_t conns) {
  enum { AT_A_TIME = 64 };
  begin(port, 0);
  double seconds = 0;
  for (uint32_t i = 0; i < conns; i += AT_A_TIME) {
    for (uint32_t j = i; j < i + AT_A_TIME && j < conns; j++) open_client(STAYING), target++;
    seconds += complete(is_complete);
  }
  say_times(seconds);
}

// Messages on all connections that stay open, as many under way as there are connections.
void load_talk(int port, uint32_t total) {
  begin(port, total);
  record(total);
  for (struct conn *c = clients, *next; c != NULL && messages_started < total; c = next) {
    next = c->next;
    c->role = TALKING;
    c->left++;
    messages_started++;
    send_message(c);
  }
  say_times(complete(has_messages));
}

static bool is_busy(void) {
  uint32_t moving = 0;
  for (struct conn *c = clients; c != NULL; c = c->next)
    if (c->role == FLOW && c->received + c->sent > (8u << 20)) moving++;
  return moving >= target || tally.faults > 0;
}

// Small messages on 10 connections, one after the other on each, then new connections, 20 at a time, while bulk flows that
// have no end run both ways.
void load_beside(int port, uint32_t flows, uint32_t messages, uint32_t setups) {
  enum { TALKERS = 10, AT_A_TIME = 20 };
  begin(port, flows);
  for (uint32_t i = 0; i < flows; i++) open_flow(FLOW, i % 2 ? 0 : UINT64_MAX / 4, i % 2 ? UINT64_MAX / 4 : 0);
  complete(is_busy);
  begin(port, messages);
  record(messages);
  messages_started = TALKERS;
  for (uint32_t i = 0; i < TALKERS; i++) open_client(MESSAGES);
  say_times(complete(has_messages));
  begin(port, setups);
  to_open = setups - AT_A_TIME;
  for (uint32_t i = 0; i < AT_A_TIME; i++) open_client(SHORT);
  printf(",\"setup\":%.6f", complete(is_complete));
}

static uint64_t last_sent, quiet_since;

static bool stands_still(void) {
  uint64_t now = now_ns();
  if (backend_sent != last_sent) last_sent = backend_sent, quiet_since = now;
  return (backend_sent > 0 && now - quiet_since > 500000000u) || tally.faults > 0;
}

void load_stalled(int port, uint32_t conns, uint64_t down) {
  begin(port, conns);
  backend_sent = 0;
  for (uint32_t i = 0; i < conns; i++) open_flow(STALLED, 0, down);
  last_sent = 0;
  quiet_since = now_ns();
  double seconds = complete(stands_still);
  say_times(seconds);
  printf(",\"sent\":%llu", (unsigned long long)backend_sent);
}
