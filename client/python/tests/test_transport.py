"""The real transport against a server on this machine that answers in every wrong way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tributary_client import TributaryError
from tributary_client.transport import Request, send

seen: list[tuple[str, dict[str, str], bytes]] = []


class Handler(BaseHTTPRequestHandler):
    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        seen.append((f"{self.command} {self.path}", {k.lower(): v for k, v in self.headers.items()}, body))
        if self.path == "/drop":
            self.connection.close()
            return
        if self.path == "/garbage":
            self.wfile.write(b"not HTTP at all\r\n\r\n")
            return
        self.send_response({"/moved": 302, "/forbidden": 403, "/fault": 503}.get(self.path, 200))
        if self.path == "/moved":
            self.send_header("location", "/elsewhere")
        self.send_header("x-Case", "Kept")
        self.send_header("content-length", "10" if self.path == "/short" else "5")
        self.end_headers()
        self.wfile.write(b"hello")

    do_GET = do_POST = do_PUT = do_any  # noqa: N815

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def test_any_status_is_an_answer(url: str) -> None:
    for path, status in (("/", 200), ("/forbidden", 403), ("/fault", 503)):
        response = send(Request("GET", url + path))
        assert (response.status, response.body, response.headers["x-case"]) == (status, b"hello", "Kept")


def test_a_body_and_headers_arrive_as_they_are(url: str) -> None:
    body = bytes(range(256))
    send(Request("PUT", f"{url}/up?signature=a%2Fb", {"if-none-match": "*"}, body))
    line, headers, found = seen[-1]
    assert (line, found) == ("PUT /up?signature=a%2Fb", body)
    assert headers["if-none-match"] == "*"
    assert headers["content-type"] == "application/octet-stream"


def test_a_redirect_is_not_followed(url: str) -> None:
    assert send(Request("POST", f"{url}/moved", {"authorization": "secret"}, b"{}")).status == 302
    assert seen[-1][0] == "POST /moved"


@pytest.mark.parametrize("path", ["/drop", "/garbage", "/short"])
def test_an_answer_that_breaks_off_is_a_passing_fault(url: str, path: str) -> None:
    with pytest.raises(TributaryError, match=r"\[network\]") as raised:
        send(Request("GET", url + path))
    assert raised.value.retry == "now"


def test_an_answer_that_is_too_long_is_refused(url: str) -> None:
    with pytest.raises(TributaryError, match=r"\[answer-too-long\] the answer is longer than 4 bytes"):
        send(Request("GET", url, most_bytes=4))
    assert send(Request("GET", url, most_bytes=5)).body == b"hello"


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,hello"])
def test_only_http_is_spoken(address: str) -> None:
    with pytest.raises(TributaryError, match=r"\[network\]"):
        send(Request("GET", address))


def test_an_error_does_not_show_a_presigned_url() -> None:
    for path in ("/bucket/key?X-Amz-Signature=topsecret", "/a b?topsecret"):
        with pytest.raises(TributaryError) as raised:
            send(Request("GET", f"http://127.0.0.1:9{path}", timeout_s=2))
        assert "topsecret" not in str(raised.value)
