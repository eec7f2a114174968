"""Fingerprints of plain content, by which a study knows that nothing has changed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["fingerprint"]


def fingerprint(content: Any) -> str:
    """SHA-256 (first 16 hex digits) of what JSON can tell."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
