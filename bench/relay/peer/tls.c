// TLS 1.3 for the clients: one cipher, one group and a full handshake each time, so that every proxy has the same to do.

#define _GNU_SOURCE
#include "peer.h"
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { MAX_RECORD = 16384 };

bool tls_clients;
static SSL_CTX *context;

static int on_ticket(SSL *tls, SSL_SESSION *session) {
  (void)tls, (void)session;
  tally.tickets++;
  return 0; // not kept
}

static void make_context(void) {
  context = SSL_CTX_new(TLS_client_method());
  if (context == NULL) abort();
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  if (!SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") || !SSL_CTX_set1_groups_list(context, "X25519")) abort();
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_ticket);
}

void tls_start(struct conn *c) {
  if (context == NULL) make_context();
  c->tls = SSL_new(context);
  if (c->tls == NULL || !SSL_set_fd(c->tls, c->fd)) abort();
}

void tls_end(struct conn *c) {
  if (c->tls == NULL) return;
  if (SSL_is_init_finished(c->tls)) SSL_shutdown(c->tls); // says so and waits for nothing
  SSL_free(c->tls);
  c->tls = NULL;
}

// What recv() and send() would have returned, with errno.
static ssize_t failed(struct conn *c, int result) {
  int error = SSL_get_error(c->tls, result);
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) errno = EPROTO;
  else errno = EAGAIN;
  return -1;
}

bool tls_handshake(struct conn *c) {
  ERR_clear_error();
  int result = SSL_connect(c->tls);
  if (result == 1) return true;
  if (failed(c, result) == 0) errno = EPROTO;
  want(c, SSL_want_write(c->tls) ? EPOLLOUT : EPOLLIN);
  return false;
}

// Takes whole records alone: what stayed behind in OpenSSL would be in no event of epoll.
ssize_t receive(struct conn *c, uint8_t *into, size_t length) {
  if (c->tls == NULL) return recv(c->fd, into, length, 0);
  size_t got = 0;
  do {
    ERR_clear_error();
    int n = SSL_read(c->tls, into + got, (int)(length - got));
    if (n <= 0) return got > 0 ? (ssize_t)got : failed(c, n);
    got += (size_t)n;
  } while (length - got >= MAX_RECORD);
  return (ssize_t)got;
}

ssize_t transmit(struct conn *c, const uint8_t *bytes, size_t length) {
  if (c->tls == NULL) return send(c->fd, bytes, length, MSG_NOSIGNAL);
  size_t sent = 0;
  while (sent < length) {
    ERR_clear_error();
    int n = SSL_write(c->tls, bytes + sent, (int)(length - sent));
    if (n <= 0) return sent > 0 ? (ssize_t)sent : failed(c, n);
    sent += (size_t)n;
  }
  return (ssize_t)sent;
}
