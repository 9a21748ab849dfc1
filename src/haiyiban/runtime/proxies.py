"""Who asks, where proxies stand between: limits by address would else know the proxy alone.

Each proxy adds the address that it was asked from at the end of X-Forwarded-For; what stands before may be
anybody's invention. So from the end, the first that is no proxy of ours is who asks.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = tuple[IPv4Network | IPv6Network, ...]


@lru_cache(maxsize=4096)
def who_asks(peer: str, forwarded: bytes, proxies: Networks) -> str:
    """The address that the request came from. `peer`: who is connected to us."""
    address = peer
    for part in reversed(forwarded.decode("latin-1").split(",")):
        try:
            asked, before = ip_address(address), ip_address(part.strip())
        except ValueError:  # no address: somebody's invention, or a socket of this machine
            break
        if not any(asked in network for network in proxies):
            break
        address = str(before)
    return address
