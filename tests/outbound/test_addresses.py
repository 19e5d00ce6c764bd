"""Which addresses may be asked (SECURITY 34): the table."""

from __future__ import annotations

import pytest

from microblog.outbound.addresses import is_public

EVERYBODYS = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0 126.255.255.255
128.0.0.1 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.0.3.0 192.167.255.255
192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 203.0.112.255 203.0.114.0 223.255.255.255
2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2003::1 2400::1 2606:4700:4700::1111 2a00::1
3ffe::1
"""

NOBODYS = """
0.0.0.0 0.0.0.1 0.255.255.255
10.0.0.0 10.0.0.1 10.255.255.255
100.64.0.0 100.100.100.200 100.127.255.255
127.0.0.0 127.0.0.1 127.1.2.3 127.255.255.255
169.254.0.1 169.254.169.254 169.254.255.255
172.16.0.1 172.17.0.1 172.31.255.255
192.0.0.1 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.175.48.1
192.168.0.1 192.168.1.1 192.168.255.255
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.254 255.255.255.255
:: ::1 ::2
::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1
::127.0.0.1 ::10.0.0.1 ::8.8.8.8 ::ffff
64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1
100::1 100:0:0:1::1
2001::1 2001:0:7f00:1::1 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1
2001:db8::1 3fff::1 2002:7f00:1::1 2002:a00:1::1 2002:808:808::1 2620:4f:8000::1
4000::1 5f00::1 8000::1 fc00::1 fd00::1 fdff:ffff::1
fe80::1 fe80::1%1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1
"""

# What some programs take for an address; here only digits in the usual form are one.
NONE = [
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "1.1.1.1 ",
    "1.1.1.1:80",
]


def test_the_table_is_long_enough_to_be_one() -> None:
    assert len({*EVERYBODYS.split(), *NOBODYS.split()}) >= 100


@pytest.mark.parametrize("address", EVERYBODYS.split())
def test_everybodys(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [*NOBODYS.split(), *NONE])
def test_nobodys(address: str) -> None:
    assert not is_public(address)
