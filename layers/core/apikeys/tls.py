"""The one TLS context of all connections out."""

import functools
import ssl


@functools.cache
def context() -> ssl.SSLContext:
    """Return it: TLS 1.2 or later, the system's certification authorities, the host's name checked.

    Made on first use and once, since reading the authorities takes some 20 ms.
    """
    return ssl.create_default_context()
