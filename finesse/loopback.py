"""Which addresses and names are of this machine alone."""

import ipaddress


def is_loopback_address(text: str) -> bool:
    """Whether it is an IP address of the loopback interface, also one of IPv4 written as IPv6."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    if address.version == 6 and address.ipv4_mapped is not None:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def is_loopback_host(text: str) -> bool:
    """Whether it is such an address, in brackets or not, or a name that stands for one [RFC 6761].

    Other names are not looked up: what they stand for may change with the next look.
    """
    name = text.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    return is_loopback_address(name.removeprefix("[").removesuffix("]"))
