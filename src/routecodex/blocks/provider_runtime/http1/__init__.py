"""An HTTP/1.1 client over asyncio and httptools: everything of one provider's connections.

    target      where a URL leads, and the bytes of a request's head
    connecting  names, TCP, TLS, proxies: from an origin to a connected socket
    connection  one connection: writes requests, watches time and flow
    parsing     bytes into an answer, by HTTP's rules and no socket
    answer      what the caller reads: bytes as they come, decoded
    decoding    the content encodings
    pool        who may hold a connection, who waits, what is kept
    transport   the `Transport` made of these

Data flows one way: transport -> pool -> connection -> answer. No task and no timer is made per request; what is there
is handed out without waiting. It knows sockets and HTTP; it must not know providers' protocols or credentials.
"""

from routecodex.blocks.provider_runtime.http1.transport import Http1Transport

__all__ = ["Http1Transport"]
