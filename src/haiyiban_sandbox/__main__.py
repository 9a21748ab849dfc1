"""`python -m haiyiban_sandbox --port 8001 --home .haiyiban`"""

import argparse
import asyncio
import errno
import logging
import os
import signal
import socket
import sqlite3
import sys
from pathlib import Path

from granian.constants import Interfaces
from granian.server.embed import Server

from haiyiban_sandbox.app import NotInProduction, create_app

LOOPBACK = "127.0.0.1"


def main() -> int:
    """Serve on loopback until interrupted. 2: cannot start, and why is on stderr."""
    parser = argparse.ArgumentParser(prog="python -m haiyiban_sandbox", description=__doc__)
    parser.add_argument("--port", type=_port, default=8001)
    parser.add_argument("--home", type=Path, default=Path(".haiyiban"))
    options = parser.parse_args()
    logging.basicConfig(format="sandbox: %(message)s")
    try:
        _port_is_free(options.port)
        app = create_app(options.home)
    except (NotInProduction, ValueError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"沙箱无法启动 sandbox cannot start: {error}\n")
        return 2
    server = Server(app, address=LOOPBACK, port=options.port, interface=Interfaces.ASGI, log_enabled=False)
    asyncio.run(_serve(server))
    return 0


async def _serve(server: Server) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError("1 to 65535")
    return int(text)


def _port_is_free(port: int) -> None:
    """Said before the server starts, because its own message does not tell what to do."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise OSError(
                f"端口 {port} 已被占用，请换一个 (--port)。"
                f" Port {port} is in use: stop what uses it or choose another with --port."
            ) from error


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: a thread of the server that still closes a connection while Python takes itself apart aborts
    # the process, as was seen on a busy machine. All is stored by now.
    os._exit(status)
