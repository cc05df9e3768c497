// The far ends of a proxy under test, both in one process and one thread: the clients that load it, and the backend
// behind it. It never sleeps while a load runs: a virtual CPU that sleeps costs whoever wakes it, and that would be the
// proxy, the more often the slower it is.

#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// As much as one read or write moves at most.
enum { CHUNK = 256 * 1024 };

// What a client asks the backend for, at the start of its payload.
enum { ECHO = 'E', BULK = 'B' };
enum { REQUEST_LENGTH = 24, VERDICT = 'K' };

// One socket, of a client or of the backend; `ready` is called with the events of epoll.
struct conn {
  int fd;
  uint32_t watched;
  void (*ready)(struct conn *, uint32_t events);
  uint32_t id;
  // Bulk: where the patterns start, how much there is in all, and how much was there so far.
  uint32_t base;
  uint64_t to_send, sent, to_receive, received;
  // Small messages, of which one is under way at a time.
  uint32_t left;
  uint64_t since;
  // What has come of a header and a request, or of a message.
  uint32_t length;
  uint8_t bytes[512];
  uint8_t stage;
  uint8_t role;
  uint16_t port;
  // OpenSSL's side of it, where a client speaks TLS.
  struct ssl_st *tls;
  struct conn *previous, *next;
};

// What happened since the last command.
struct tally {
  uint64_t v1, v2, bare;
  // Of TLS sessions, as the proxy sends them after a handshake.
  uint64_t tickets;
  uint64_t faults;
  const char *fault;
};

extern struct tally tally;
extern uint8_t scratch[CHUNK];
// Ports that clients are connected from: a header must name one of them.
extern uint8_t live_ports[65536];
extern uint64_t backend_open;
// Goes up with everything that is written for a bulk request.
extern uint64_t backend_sent;

// main.c
uint64_t now_ns(void);
void fault(const char *what);
struct conn *watch(int fd, void (*ready)(struct conn *, uint32_t));
void want(struct conn *c, uint32_t events);
void drop(struct conn *c);
// Turns the event loop until the condition holds; false after so many milliseconds.
bool turn_until(bool (*done)(void), uint64_t milliseconds);

// pattern.c: a stream that repeats after a prime number of bytes, so that a byte lost, doubled or moved shows.
enum { UP, DOWN };
void make_patterns(void);
const uint8_t *pattern(int direction, uint64_t offset);

// tls.c: what clients do with TLS, and their recv() and send() with it or without.
extern bool tls_clients;
void tls_start(struct conn *c);
void tls_end(struct conn *c);
// Whether it is done; otherwise errno is EAGAIN, or it has failed.
bool tls_handshake(struct conn *c);
ssize_t receive(struct conn *c, uint8_t *into, size_t length);
ssize_t transmit(struct conn *c, const uint8_t *bytes, size_t length);

// backend.c
int backend_listen(void);

// client.c: each takes the port of a proxy and writes its result as JSON.
void load_rate(int port, uint32_t total, uint32_t parallel);
void load_bulk(int port, uint32_t conns, uint64_t up, uint64_t down);
void load_messages(int port, uint32_t conns, uint32_t total);
void load_idle(int port, uint32_t conns);
void load_talk(int port, uint32_t total);
void load_beside(int port, uint32_t flows, uint32_t messages, uint32_t setups);
void load_stalled(int port, uint32_t conns, uint64_t down);
void close_clients(void);

#endif
