"""Public keys with which anybody can sign: known by a look at the key. An issuer's mistake is not to be ours."""

import math
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

LEAST_EXPONENT = 1 << 16  # FIPS 186-5, section 5.1: greater than that; cryptography sees that it is odd
GENERATOR = 65537
# Infineon's library made primes of one form (ROCA, CVE-2017-15361): modulo each of these, such a modulus is a power
# of the generator. Of random ones, less than one in 100 million is.
MARKERS = tuple(p for p in range(11, 168) if all(p % divisor for divisor in range(2, p)))
POWERS = tuple((p, frozenset(pow(GENERATOR, exponent, p) for exponent in range(p))) for p in MARKERS)
CLOSE = 100  # steps of Fermat's method; primes that are chosen apart take more than can be counted
# y of the points of order 1, 2, 4 and 8, below and above the prime (RFC 8032, section 5.1.3).
P = 2**255 - 19
Y_OF_ORDER_8 = 0x5FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
SMALL = frozenset(
    y for root in (0, 1, P - 1, Y_OF_ORDER_8, P - Y_OF_ORDER_8) for y in (root, root + P) if y < 1 << 255
)


def is_weak(key: Any) -> bool:
    """Tell whether a signature of this key could be anybody's.

    Args:
        key: a public key. Those of NIST's curves are all of one large order; the length of RSA's is PyJWT's business.
    """
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        return numbers.e <= LEAST_EXPONENT or _is_of_roca(numbers.n) or _has_close_primes(numbers.n)
    if isinstance(key, Ed25519PublicKey):
        octets = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return int.from_bytes(octets, "little") & (1 << 255) - 1 in SMALL
    return False


def _is_of_roca(modulus: int) -> bool:
    return all(modulus % prime in powers for prime, powers in POWERS)


def _has_close_primes(modulus: int) -> bool:
    """Tell whether a modulus is the product of two primes close to each other (CVE-2022-26320), by Fermat's method."""
    middle = math.isqrt(modulus - 1) + 1
    squares = (candidate * candidate - modulus for candidate in range(middle, middle + CLOSE))
    return any(math.isqrt(square) ** 2 == square for square in squares)
