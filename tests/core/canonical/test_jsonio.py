"""JSON at the border (MP-31)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmswitch_core.canonical import jsonio

trees = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


@given(trees)
def test_encode_and_decode_are_inverse(tree: object) -> None:
    if "\ud800" not in json.dumps(tree):
        assert jsonio.decode(jsonio.encode(tree)) == json.loads(json.dumps(tree)) or _has_surrogate(tree)


def _has_surrogate(tree: object) -> bool:
    try:
        json.dumps(tree, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def test_mp31_a_lone_surrogate_becomes_the_replacement_character() -> None:
    assert jsonio.decode(b'{"a":"x\\ud83d"}') == {"a": "x\ufffd"}
    assert jsonio.encode({"a": "x\ud83d"}) == '{"a":"x\ufffd"}'.encode()


def test_mp31_a_leading_bom_is_skipped() -> None:
    assert jsonio.decode(b'\xef\xbb\xbf{"a":1}') == {"a": 1}


def test_mp31_of_duplicate_keys_the_last_counts() -> None:
    assert jsonio.decode(b'{"a":1,"a":2}') == {"a": 2}


@pytest.mark.parametrize("depth", [256, 255, 1])
def test_mp31_nesting_up_to_the_limit_is_read(depth: int) -> None:
    assert jsonio.decode(b"[" * depth + b"]" * depth) is not None


@pytest.mark.parametrize("body", [b"[" * 257 + b"]" * 257, b'{"a":' * 300 + b"1" + b"}" * 300, b"[" * 100_000])
def test_mp31_nesting_past_the_limit_is_refused(body: bytes) -> None:
    with pytest.raises(jsonio.TooDeepError):
        jsonio.decode(body)


def test_brackets_inside_strings_are_no_nesting() -> None:
    assert jsonio.decode(json.dumps({"a": "[" * 1000 + '\\"{'}).encode())["a"].startswith("[[")


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a":Infinity}', b"\xff", b"{'a':1}", b'{"a":1}x'])
def test_what_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        jsonio.decode(body)
