// The event loop, and commands: one a line on standard input, answered by one line of JSON each.

#define _GNU_SOURCE
#include "peer.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct tally tally;
uint8_t scratch[CHUNK];
uint8_t live_ports[65536];

static int poll_fd;
// Closed in this turn of the loop; events may still point at them.
static struct conn *dropped;

uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void fault(const char *what) {
  tally.faults++;
  if (tally.fault == NULL) tally.fault = what;
}

struct conn *watch(int fd, void (*ready)(struct conn *, uint32_t)) {
  struct conn *c = calloc(1, sizeof *c);
  if (c == NULL) abort();
  c->fd = fd;
  c->ready = ready;
  struct epoll_event event = {.events = 0, .data.ptr = c};
  if (epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) != 0) abort();
  return c;
}

void want(struct conn *c, uint32_t events) {
  if (c->fd < 0 || c->watched == events) return;
  struct epoll_event event = {.events = events, .data.ptr = c};
  if (epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event) != 0) abort();
  c->watched = events;
}

void drop(struct conn *c) {
  if (c->fd < 0) return;
  close(c->fd);
  c->fd = -1;
  c->next = dropped;
  dropped = c;
}

static void turn(void) {
  struct epoll_event events[256];
  int n = epoll_wait(poll_fd, events, 256, 0);
  for (int i = 0; i < n; i++) {
    struct conn *c = events[i].data.ptr;
    if (c->fd >= 0) c->ready(c, events[i].events);
  }
  while (dropped != NULL) {
    struct conn *c = dropped;
    dropped = c->next;
    free(c);
  }
}

bool turn_until(bool (*done)(void), uint64_t milliseconds) {
  uint64_t deadline = now_ns() + milliseconds * 1000000u;
  while (!done()) {
    if (now_ns() > deadline) return false;
    turn();
  }
  return true;
}

static bool never(void) { return false; }

static bool backend_is_free(void) { return backend_open == 0; }

static void answer(const char *line) {
  int port = 0;
  uint32_t a = 0, b = 0, c = 0;
  unsigned long long up = 0, down = 0;
  memset(&tally, 0, sizeof tally);
  tls_clients = strncmp(line, "tls ", 4) == 0; // in front of any load
  if (tls_clients) line += 4;
  if (strcmp(line, "listen\n") == 0) {
    printf("{\"port\":%d", backend_listen());
  } else if (sscanf(line, "rate %d %u %u", &port, &a, &b) == 3) {
    load_rate(port, a, b);
  } else if (sscanf(line, "bulk %d %u %llu %llu", &port, &a, &up, &down) == 4) {
    load_bulk(port, a, up, down);
  } else if (sscanf(line, "messages %d %u %u", &port, &a, &b) == 3) {
    load_messages(port, a, b);
  } else if (sscanf(line, "idle %d %u", &port, &a) == 2) {
    load_idle(port, a);
  } else if (sscanf(line, "talk %d %u", &port, &a) == 2) {
    load_talk(port, a);
  } else if (sscanf(line, "beside %d %u %u %u", &port, &a, &b, &c) == 4) {
    load_beside(port, a, b, c);
  } else if (sscanf(line, "stalled %d %u %llu", &port, &a, &down) == 3) {
    load_stalled(port, a, down);
  } else if (sscanf(line, "wait %u", &a) == 1) {
    turn_until(never, a);
    printf("{\"sent\":%llu", (unsigned long long)backend_sent);
  } else if (strcmp(line, "close\n") == 0) {
    close_clients();
    printf("{\"closed\":%d", turn_until(backend_is_free, 10000));
    tally.faults = 0; // flows that are cut off here end too early
    tally.fault = NULL;
  } else {
    printf("{\"faults\":1,\"fault\":\"no such command\"}\n");
    return;
  }
  printf(",\"v1\":%llu,\"v2\":%llu,\"bare\":%llu", (unsigned long long)tally.v1, (unsigned long long)tally.v2,
         (unsigned long long)tally.bare);
  printf(",\"tickets\":%llu,\"faults\":%llu", (unsigned long long)tally.tickets, (unsigned long long)tally.faults);
  printf(",\"fault\":\"%s\"}\n", tally.fault == NULL ? "" : tally.fault);
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return;
  if (write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

// A network of its own for a command: ports, TIME_WAIT and settings are nobody else's. Congestion control that paces (bbr)
// makes loopback a third as fast.
static int isolate(char **command) {
  if (unshare(CLONE_NEWNET) != 0) return 77;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) != 0) return 77;
  close(fd);
  write_file("/proc/sys/net/ipv4/tcp_congestion_control", "reno");
  write_file("/proc/sys/net/ipv4/ip_local_port_range", "10000 65000");
  write_file("/proc/sys/net/ipv4/tcp_tw_reuse", "1");
  execvp(command[0], command);
  perror(command[0]);
  return 1;
}

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "isolate") == 0) return isolate(argv + 2);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  setvbuf(stdout, NULL, _IOLBF, 0);
  make_patterns();
  poll_fd = epoll_create1(EPOLL_CLOEXEC);
  char line[256];
  while (fgets(line, sizeof line, stdin) != NULL) answer(line);
  return 0;
}
