"""Where connections come from, for limits on what one place may take."""

import ipaddress


def origin_of(address: str) -> str:
    """What one party is likely to have whole: an IPv4 address, or a network of IPv6."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))
