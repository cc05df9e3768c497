// A self-signed certificate for localhost, for tests alone: its key is public, and it is valid until 2126.

export const certificate: { readonly key: string; readonly cert: string } = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgdq+dileX/kzRC5er
F54h27NhWtF3rDErdPOL6sDSvdOhRANCAASL2JwoMMMtSYGR9uLfYxZBwQdJ0VdN
+4TIx5wiTkFs0DLeK7ixbxyhjONdlywmskSsSlxrzY8ngTynYXWkB5Q9
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUUAYslXbPOcp5bECYLL12Tz59meAwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzE5MTQwNVoYDzIxMjYxMDMw
MTkxNDA1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASL2JwoMMMtSYGR9uLfYxZBwQdJ0VdN+4TIx5wiTkFs0DLeK7ixbxyh
jONdlywmskSsSlxrzY8ngTynYXWkB5Q9o28wbTAdBgNVHQ4EFgQUBXid7SH8KeeP
XVjqWcXY+bLc+bwwHwYDVR0jBBgwFoAUBXid7SH8KeePXVjqWcXY+bLc+bwwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhAJSOyQKUTmibdt80VR4xVKpuqUja8O3COpPbCSylX8BPAiBg
qkKdtQf2QwkBH9E04jXIsEBhg9lSybyeAY6zC1Qldw==
-----END CERTIFICATE-----`,
}
