"""Keys that are broken in published ways, and the tokens that anybody could make with them."""

import math
import secrets
from collections.abc import Iterator
from itertools import islice
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

PRIMES = [p for p in range(2, 702) if all(p % divisor for divisor in range(2, math.isqrt(p) + 1))]
PRIMORIAL = math.prod(PRIMES[:126])  # that of keys of 2048 bits
GENERATOR = 65537
ED25519_PRIME = 2**255 - 19
Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7


def is_prime(number: int) -> bool:
    """Fermat's test: enough for numbers that nobody chose against it; most others have a small factor."""
    return math.gcd(number, PRIMORIAL) == 1 and all(pow(base, number - 1, number) == 1 for base in (2, 3, 5))


def roca_primes() -> Iterator[int]:
    """Yield primes as Infineon's library made them: k * M + (65537^a mod M). CVE-2017-15361."""
    least = math.isqrt(1 << 2047) // PRIMORIAL + 1
    while True:
        k = least + secrets.randbelow((1 << 1024) // PRIMORIAL - least)
        prime = k * PRIMORIAL + pow(GENERATOR, secrets.randbits(64), PRIMORIAL)
        if is_prime(prime):
            yield prime


def next_prime(number: int, exponent: int = GENERATOR) -> int:
    number |= 1
    while not (is_prime(number) and math.gcd(number - 1, exponent) == 1):
        number += 2
    return number


def of_primes(p: int, q: int, exponent: int = GENERATOR) -> rsa.RSAPrivateKey:
    d = pow(exponent, -1, math.lcm(p - 1, q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(exponent, p * q)
    )
    return numbers.private_key()


def random_prime(exponent: int = GENERATOR) -> int:
    return next_prime(math.isqrt(1 << 2047) + secrets.randbits(1020), exponent)


def weak_rsa(kind: str) -> rsa.RSAPrivateKey:
    """Make a private key that is weak in this way."""
    match kind:
        case "ROCA":
            return of_primes(*islice(roca_primes(), 2))
        case "close primes":
            return of_primes(p := random_prime(), next_prime(p + 2))
        case "exponent 3":
            return of_primes(random_prime(3), random_prime(3), 3)
    return rsa.generate_private_key(GENERATOR, 1024)  # noqa: S505 -- weak on purpose


def small_points() -> dict[str, bytes]:
    """Return encodings of points of small order on Curve25519 (RFC 8032, section 5.1.3), also odd ones."""
    p, y = ED25519_PRIME, Y_OF_ORDER_8
    values = {"order 1": 1, "order 2": p - 1, "order 4": 0, "order 8": y, "order 8, too": p - y}
    values |= {"order 1, beyond the prime": p + 1, "order 4, beyond the prime": p}
    signed = {f"{name}, signed": value | 1 << 255 for name, value in values.items()}
    return {name: value.to_bytes(32, "little") for name, value in (values | signed).items()}


def jwk_of(key: Any, algorithm: str) -> dict[str, Any]:
    return dict(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)) | {"kid": "weak"}
