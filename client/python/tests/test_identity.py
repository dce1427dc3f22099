from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from fake_federation import FakeFederation
from fake_server import TICKET_ID, FakeServer, answer, client_of, problem

from tributary_client import Client, ClientKey, KeyFile, RetryPolicy, TributaryError, Update, enrol
from tributary_client.command import main

URL = "http://api.test"
CODE = "c" * 43
PATIENT = RetryPolicy(sleep=lambda _s: None, random=lambda: 0.0)
HOUR_S = 3600.0


def refusal(client: Client) -> TributaryError:
    with pytest.raises(TributaryError) as raised:
        client.ticket_status(TICKET_ID)
    return raised.value


def client_in(federation: FakeFederation, ahead_s: float = 0.0) -> Client:
    key = ClientKey.generate("ann")
    federation.registered = key.public_jwk
    clock = lambda: federation.now_s + ahead_s  # noqa: E731
    return Client(URL, key, transport=federation, retry=PATIENT, clock=clock)


class TestEveryRequest:
    def test_has_a_proof_of_its_own_in_each_try(self) -> None:
        federation = FakeFederation()
        client = client_in(federation)
        federation.lose = 2
        assert refusal(client).code == "ticket-unknown"
        assert len({claims["jti"] for claims in federation.taken}) == 3
        assert federation.refused == 0

    def test_says_what_its_sender_may_not_do_as_the_api_says_it(self) -> None:
        server = FakeServer(status=[problem(403, "ticket-foreign")])
        assert refusal(client_of(server)).code == "ticket-foreign"
        assert server.count("status") == 1

    @pytest.mark.parametrize("ahead_s", [HOUR_S, -HOUR_S, 24 * HOUR_S])
    def test_is_proved_at_the_servers_time_once_the_clock_is_known_to_be_off(self, ahead_s: float) -> None:
        federation = FakeFederation()
        client = client_in(federation, ahead_s)
        for _ in range(2):
            assert refusal(client).code == "ticket-unknown"
        assert (federation.refused, len(federation.taken)) == (1, 2)

    def test_is_not_tried_again_where_the_clock_is_right(self) -> None:
        federation = FakeFederation()
        client = client_in(federation, 20)
        federation.registered = None
        error = refusal(client)
        assert (error.code, error.retry) == ("identity-refused", "never")
        assert federation.refused == 1

    @pytest.mark.parametrize("date", ["", "yesterday", "Tue, 99 Nov 2026 00:00:00 GMT"])
    def test_survives_a_date_that_is_none(self, date: str) -> None:
        server = FakeServer(status=[answer(403, date=date)])
        assert refusal(client_of(server)).code == "identity-refused"

    def test_of_the_api_is_signed_and_no_presigned_url_is(self) -> None:
        server = FakeServer()
        client_of(server).upload(TICKET_ID, "task", 7, Update(b"abc", 4))
        signed = {step for step, request in server.requests if "authorization" in request.headers}
        assert signed == {"declare"}


def test_a_statement_is_the_same_in_each_try() -> None:
    server = FakeServer(declare=[problem(503, "busy"), problem(503, "busy")])
    client_of(server).upload(TICKET_ID, "task", 7, Update(b"abc", 4))
    assert len({json.loads(request.body or b"")["statement"] for request in server.of("declare")}) == 1
    assert server.count("declare") == 3


class TestEnrolment:
    def test_writes_a_key_file_for_its_owner_alone(self, tmp_path: Path) -> None:
        federation = FakeFederation()
        federation.codes[CODE] = ["ann"]
        path = tmp_path / "ann.json"
        key = enrol(URL, CODE, "ann", path, transport=federation, retry=PATIENT, clock=lambda: federation.now_s)
        assert path.stat().st_mode & 0o777 == 0o600
        assert KeyFile(path).load().kid == key.kid
        assert [each.name for each in tmp_path.iterdir()] == ["ann.json"]

    def test_brings_the_same_key_again_after_lost_answers(self, tmp_path: Path) -> None:
        federation = FakeFederation()
        federation.codes[CODE] = ["ann"]
        federation.lose = 7
        path = tmp_path / "ann.json"

        def come() -> ClientKey:
            return enrol(URL, CODE, "ann", path, transport=federation, retry=PATIENT, clock=lambda: federation.now_s)

        with pytest.raises(TributaryError, match="network"):
            come()
        assert not path.exists()
        assert come().public_jwk == federation.registered

    def test_does_not_overwrite_a_key(self, tmp_path: Path) -> None:
        path = tmp_path / "ann.json"
        path.write_text("a key")
        with pytest.raises(FileExistsError):
            enrol(URL, CODE, "ann", path, transport=FakeFederation())

    def test_with_a_code_that_somebody_used_says_so(self) -> None:
        federation = FakeFederation()
        federation.codes[CODE] = ["ann", "somebody's key"]
        with pytest.raises(TributaryError, match="invitation-used"):
            enrol(URL, CODE, "ann", transport=federation, clock=lambda: federation.now_s)

    def test_refused_for_its_proof_blames_the_endpoint(self) -> None:
        with pytest.raises(TributaryError, match="is the endpoint just as the operator gave it"):
            enrol(URL, CODE, "ann", transport=lambda _request: answer(403, {"message": "Forbidden"}))


class TestRotation:
    @staticmethod
    def client(path: Path, federation: FakeFederation) -> Client:
        if not path.exists():
            federation.codes[CODE] = ["ann"]
            enrol(URL, CODE, "ann", path, transport=federation, retry=PATIENT, clock=lambda: federation.now_s)
        keys = KeyFile(path)
        clock = lambda: federation.now_s  # noqa: E731
        return Client(URL, keys.load(), keys=keys, transport=federation, retry=PATIENT, clock=clock)

    def test_replaces_the_key_in_the_file(self, tmp_path: Path) -> None:
        federation, path = FakeFederation(), tmp_path / "ann.json"
        client = self.client(path, federation)
        before = client.key.kid
        made = client.rotate_key()
        assert client.key is made
        assert KeyFile(path).load().kid == made.kid != before
        assert federation.registered == made.public_jwk
        assert refusal(client).code == "ticket-unknown"

    def test_whose_answer_was_lost_ends_with_the_key_that_is_registered(self, tmp_path: Path) -> None:
        federation, path = FakeFederation(), tmp_path / "ann.json"
        client = self.client(path, federation)
        federation.lose = 1
        made = client.rotate_key()
        assert (federation.registered, KeyFile(path).load().kid) == (made.public_jwk, made.kid)

    def test_that_a_crash_cut_short_is_found_out_at_the_next_request(self, tmp_path: Path) -> None:
        federation, path = FakeFederation(), tmp_path / "ann.json"
        client = self.client(path, federation)
        federation.lose = 100
        with pytest.raises(TributaryError, match="network"):
            client.rotate_key()
        federation.lose = 0
        assert (tmp_path / "ann.json.next").exists()
        after = self.client(path, federation)
        assert refusal(after).code == "ticket-unknown"
        assert KeyFile(path).load().public_jwk == federation.registered
        assert not (tmp_path / "ann.json.next").exists()

    def test_to_a_key_that_was_replaced_makes_another_the_next_time(self, tmp_path: Path) -> None:
        federation, path = FakeFederation(), tmp_path / "ann.json"
        client = self.client(path, federation)
        waiting = KeyFile(path, URL).next_key("ann")
        federation.replaced.append(waiting.public_jwk["x"])
        with pytest.raises(TributaryError, match="key-replaced"):
            client.rotate_key()
        assert client.rotate_key().kid != waiting.kid

    def test_wants_a_key_file(self) -> None:
        with pytest.raises(ValueError, match="needs a key file"):
            client_of(FakeServer()).rotate_key()


class TestKeyFiles:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "ann.json"
        KeyFile(path, URL).promote(ClientKey.generate("ann"))
        return path

    def test_that_others_can_read_is_refused(self, path: Path) -> None:
        path.chmod(0o640)
        with pytest.raises(TributaryError, match="key-exposed"):
            KeyFile(path).load()

    def test_that_is_not_there_says_so(self, tmp_path: Path) -> None:
        with pytest.raises(TributaryError, match="key-missing"):
            Client.from_key_file(tmp_path / "none.json")

    @pytest.mark.parametrize(
        "change",
        [
            {"privateKey": None},
            {"privateKey": {"kty": "RSA"}},
            {"privateKey": "d"},
            {"client": "a b"},
            {"client": 7},
            {"endpoint": "file:///etc/passwd"},
            {"endpoint": None},
        ],
    )
    def test_that_is_wrong_is_refused(self, path: Path, change: dict[str, object]) -> None:
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
        with pytest.raises(TributaryError, match="key-malformed"):
            KeyFile(path).load()

    def test_never_shows_its_secret(self, path: Path) -> None:
        secret = json.loads(path.read_text())["privateKey"]["d"]
        content = path.read_text()
        other = ClientKey.generate("ann").private_jwk["d"]
        for wrong in (content[:-10], content.replace(secret, other), content.replace(secret, secret + "A"), secret):
            path.write_text(wrong)
            with pytest.raises(TributaryError, match="key-malformed") as raised:
                KeyFile(path).load()
            shown = f"{raised.value!r} {raised.value.__cause__!r}"
            assert not any(d[:20] in shown for d in (secret, other))
        assert "private_key" not in repr(ClientKey.generate("ann"))

    def test_with_an_endpoint_of_its_own_wins_over_the_file(self, path: Path) -> None:
        assert KeyFile(path, "http://other.test").endpoint == "http://other.test"
        assert KeyFile(path).endpoint == URL


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "-a", "a" * 65, "a\n"])
def test_a_name_that_no_federation_takes_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="client: expected"):
        ClientKey.generate(name)


@pytest.mark.parametrize("endpoint", ["", "api.test", "file:///x", "ftp://a", "http://", "https://a b", "http://a?x=1"])
def test_an_endpoint_that_is_no_http_address_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="endpoint: expected"):
        Client(endpoint, ClientKey.generate("ann"))


class TestTheCommand:
    def test_says_what_is_wrong_in_one_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = str(tmp_path / "a.json")
        assert main(["enrol", "--endpoint", "nowhere", "--code", CODE, "--client", "ann", "--out", out]) == 1
        assert capsys.readouterr().err.startswith("error: endpoint: expected an http or https URL")
        assert list(tmp_path.iterdir()) == []
        assert main(["rotate", "--key", out]) == 1
        assert capsys.readouterr().err == f"error: [key-missing] there is no key file {out}\n"

    def test_takes_the_code_from_the_environment(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setitem(os.environ, "TRIBUTARY_CODE", CODE)
        out = tmp_path / "a.json"
        out.write_text("")
        assert main(["enrol", "--endpoint", URL, "--client", "ann", "--out", str(out)]) == 1
