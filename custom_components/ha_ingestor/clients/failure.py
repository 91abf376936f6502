"""Says in plain words why there was no reply."""

import os
import re
import ssl
from typing import Final

import aiohttp

_ERRNO: Final = re.compile(r"\[Errno (\d+)\]")


def failure_words(err: BaseException) -> str:
    """Name the reason as the operating system does; where it is not known, as the library does."""
    if isinstance(err, aiohttp.ClientConnectorDNSError):
        return f"{err.host}: Host name not found"
    if isinstance(err, aiohttp.ClientConnectorError):
        reason = getattr(err, "certificate_error", err.os_error)
        return f"{err.host}:{err.port}: {_words(reason)}"
    return _words(err)


def _words(err: BaseException) -> str:
    match err:
        case aiohttp.ServerDisconnectedError():
            return "The server closed the connection"
        case ssl.SSLError() | ssl.CertificateError():
            return _certificate_words(err)
        case TimeoutError():
            return ""
        case OSError():
            return _system_words(err)
    return f"{type(err).__name__}: {err}".removesuffix(": ")


def _system_words(err: OSError) -> str:
    """Several addresses of one host fail for several reasons, the first of which is said."""
    number = err.errno
    if number is None and (found := _ERRNO.search(str(err))):
        number = int(found[1])
    return os.strerror(number) if number else str(err)


def _certificate_words(err: Exception) -> str:
    """Leave out the place in OpenSSL's source."""
    if message := getattr(err, "verify_message", ""):
        return str(message)
    reason = getattr(err, "reason", None)
    return reason.replace("_", " ").capitalize() if isinstance(reason, str) else str(err)
