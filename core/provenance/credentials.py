"""Content Credentials (C2PA): who signed a file, what they say was done to it, and whether the signature fits.

All offline. The library would otherwise fetch a manifest from an address that stands in the picture, ask the issuer
whether a certificate was revoked, and look identities up: whoever made the picture would learn who looks at it. A test
listens on loopback. A missing credential proves nothing, and a valid one only that nobody changed the file since
somebody signed it: certificates are not held against a list, for we carry none.
"""

import contextlib
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.errors import SetupError
from core.media.files import open_file
from core.provenance.clean import clean, cleaned
from core.provenance.types import Credentials, CredentialState

OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": [], "allow_redirects": False, "decode_identity_assertions": False},
}
MAX_ACTIONS = 12
_ADDRESS = re.compile(r"https?://\S+")
# Without a list of trusted signers nobody is trusted: that is the ordinary case and no fault of the file.
_NOT_A_FAULT = "signingCredential.untrusted"

log = logging.getLogger(__name__)


def read_credentials(path: str | Path, *, trust_anchors: str | None = None) -> Credentials:
    """Read and check the Content Credentials of a file; nothing but this file is read, and nobody is asked.

    Args:
        path: An image or a video; all of it is read, since the signature covers all of it.
        trust_anchors: Certificates (PEM) of issuers whom the caller trusts; none by default.

    Returns:
        Whatever the file holds: damage is a state and raises nothing.

    Raises:
        MediaError: The file is missing or may not be read.
        SetupError: c2pa-python is not installed.
    """
    c2pa = _library()
    settings: dict[str, Any] = {**OFFLINE, **({"trust": {"trust_anchors": trust_anchors}} if trust_anchors else {})}
    with open_file(path) as file, c2pa.Context.from_dict(settings) as context:
        try:
            # "" lets the bytes say what the file is: a name may lie
            with c2pa.Reader("", file, None, context) as reader:
                return _credentials(json.loads(reader.json()), reader.get_validation_state())
        except c2pa.C2paError.ManifestNotFound:
            return Credentials("none")
        except c2pa.C2paError as error:
            address = _ADDRESS.search(str(error))
            if address and "remote" in str(error).lower():
                return Credentials("remote", address=clean(address[0]))
            log.debug("no content credentials of %s", path, exc_info=error)
            return Credentials("unreadable")
        except (ValueError, RecursionError, AttributeError, TypeError, KeyError) as error:
            log.debug("content credentials of %s are of an unknown form", path, exc_info=error)
            return Credentials("unreadable")


def _library() -> Any:
    """c2pa-python; late, for its 23 MB of native code are not needed at most visits."""
    try:
        import c2pa
    except (ImportError, OSError) as error:
        raise SetupError(
            f"c2pa-python is not installed or cannot be loaded ({error}): run pip install -r requirements.txt."
        ) from error
    return c2pa


def _credentials(store: dict[str, Any], validation: str | None) -> Credentials:
    manifest = store["manifests"][store["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    actions = list(_actions(manifest))
    return Credentials(
        state=_state(validation),
        signer=_signer(signature),
        signed_at=clean(signature.get("time")),
        tool=_tool(manifest),
        title=clean(manifest.get("title")),
        actions=cleaned((_short(action.get("action")) for action in actions), MAX_ACTIONS),
        sources=cleaned(_last_part(action.get("digitalSourceType")) for action in actions),
        ingredients=len(manifest.get("ingredients") or ()),
        problems=cleaned(_problems(store)),
    )


def _state(validation: str | None) -> CredentialState:
    known: dict[str | None, CredentialState] = {"Valid": "valid", "Trusted": "trusted"}
    return known.get(validation, "invalid")


def _signer(signature: dict[str, Any]) -> str:
    return ", ".join(cleaned([signature.get("common_name"), signature.get("issuer")]))


def _tool(manifest: dict[str, Any]) -> str:
    told = manifest.get("claim_generator_info") or [{}]
    named = f"{clean(told[0].get('name'), 60)} {clean(told[0].get('version'), 30)}"
    return clean(named) or clean(manifest.get("claim_generator"))


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for assertion in manifest.get("assertions") or ():
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            with contextlib.suppress(AttributeError, TypeError):  # no list of objects after all
                yield from (action for action in assertion["data"].get("actions") or () if isinstance(action, dict))


def _problems(store: dict[str, Any]) -> Iterator[str]:
    for status in store.get("validation_status") or ():
        if status.get("code") != _NOT_A_FAULT:
            yield str(status.get("code"))


def _short(action: Any) -> str:
    return clean(action).removeprefix("c2pa.")


def _last_part(address: Any) -> str:
    return clean(address).rpartition("/")[2]
