from __future__ import annotations

import hashlib
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_server import (
    ABC_SHA256,
    LAYOUT,
    PUT,
    TICKET,
    TICKET_ID,
    FakeServer,
    answer,
    client_of,
    lost,
    problem,
)

from tributary_client import Event, MemoryStore, Trained, TrainInput, TributaryError, participate, safetensors

EXPIRED_URL = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"


def train(given: TrainInput) -> Trained:
    """Adds 0.5 to the first parameter and takes 1 from the second."""
    return Trained(given.params + np.array([0.5, -1], np.float32), 4, {"trainLoss": 0.25})


def events_of(server: FakeServer, **options: Any) -> list[Event]:
    events: list[Event] = []
    options = {"train": train, "max_updates": 1, **options}
    participate(client_of(server), "task", on_event=events.append, **options)
    return events


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


class TestTakingPart:
    def test_uploads_trained_minus_base_with_the_metadata_that_the_server_checks(self) -> None:
        server = FakeServer()
        summary = participate(client_of(server), "task", train, max_updates=1)
        assert (summary.updates, summary.examples, summary.reason) == (1, 4, "max-updates")
        layout, values, metadata = safetensors.decode(server.of("put")[0].body or b"")
        assert layout == LAYOUT
        assert values.tolist() == [0.5, -1]
        assert metadata == {"task": "task", "baseVersion": "7", "codec": "float32", "examples": "4"}

    def test_declares_exactly_the_bytes_that_it_stores(self) -> None:
        server = FakeServer()
        participate(client_of(server), "task", train, max_updates=1)
        put, said = server.of("put")[0], server.body("declare")
        assert said["bytes"] == len(put.body or b"")
        assert said["sha256"] == hashlib.sha256(put.body or b"").hexdigest()
        assert (said["examples"], said["metrics"], "codec" in said) == (4, {"trainLoss": 0.25}, False)
        assert put.url == PUT["url"]
        # The connection sets host and content-length itself.
        assert put.headers == {"if-none-match": "*", "x-amz-checksum-sha256": "abc="}

    def test_says_what_it_runs_on(self) -> None:
        server = FakeServer()
        participate(client_of(server), "task", train, max_updates=1)
        assert server.body("declare")["agent"].startswith("tributary-client/")
        participate(client_of(server, agent="kiosk 7"), "task", train, max_updates=1)
        assert server.body("declare")["agent"] == "kiosk 7"

    def test_writes_the_update_in_the_codec_of_the_task(self) -> None:
        asked = {"kind": "int8", "block": 64, "rotate": True, "compress": "none"}
        server = FakeServer(ticket=[answer(200, {**TICKET, "codec": asked})])
        participate(client_of(server), "task", train, max_updates=1)
        assert server.body("declare")["codec"] == {**asked, "rotate": False}
        assert b'"kind\\":\\"int8' in (server.of("put")[0].body or b"")

    def test_reports_what_the_model_measured_before_training(self) -> None:
        server = FakeServer()
        measured: list[list[float]] = []

        def evaluate(given: TrainInput) -> dict[str, float]:
            measured.append(given.params.tolist())
            return {"accuracy": 0.75, "loss": float("nan")}

        participate(client_of(server), "task", train, evaluate, max_updates=1)
        assert server.body("declare")["metrics"] == {"accuracy": 0.75, "trainLoss": 0.25}
        assert measured == [[1, 2]]

    def test_ends_when_the_task_has_ended(self) -> None:
        server = FakeServer(ticket=[problem(410, "task-ended")])
        assert participate(client_of(server), "task", train).reason == "task-ended"

    @pytest.mark.parametrize(("random", "expected"), [(0.0, 3.0), (0.999, 4.4985)])
    def test_waits_as_long_as_a_full_task_asks_and_at_most_half_as_long_again(
        self, random: float, expected: float
    ) -> None:
        server = FakeServer(ticket=[problem(429, "cohort-full", retryAfterMs=3000), problem(410, "task-ended")])
        slept: list[float] = []
        participate(client_of(server, slept=slept, random=random), "task", train)
        assert slept == [pytest.approx(expected)]

    def test_raises_the_code_of_the_server_on_an_unknown_task(self) -> None:
        server = FakeServer(ticket=[problem(404, "task-unknown")])
        with pytest.raises(TributaryError, match="task-unknown"):
            participate(client_of(server), "task", train)
        assert server.count("ticket") == 1

    def test_downloads_the_package_once_for_many_tickets_and_the_model_each_time(self) -> None:
        server = FakeServer()
        participate(client_of(server), "task", train, max_updates=3)
        # Three files with one checksum.
        assert (server.count("model"), server.count("package")) == (3, 1)

    def test_gives_training_a_base_that_it_cannot_write_to_and_a_stream_of_its_own(self) -> None:
        drawn: list[float] = []

        def write(given: TrainInput) -> Trained:
            drawn.append(float(given.rng.random()))
            given.params[0] = 7
            return Trained(given.params, 1)

        for _ in range(2):
            with pytest.raises(ValueError, match="read-only"):
                participate(client_of(FakeServer()), "task", write)
        assert drawn[0] == drawn[1]

    def test_goes_on_where_training_gives_a_ticket_up(self) -> None:
        given_up = iter([None])
        events = events_of(FakeServer(), train=lambda given: next(given_up, train(given)))
        assert kinds(events) == ["ticket", "abandoned", "ticket", "trained", "uploaded"]

    def test_tells_what_became_of_an_update(self) -> None:
        def status(state: str, **more: object) -> Any:
            return answer(200, {"ticket": TICKET_ID, "task": "task", "state": state, "baseVersion": 7, **more})

        server = FakeServer(status=[status("uploading"), status("admitted"), status("quarantined", reason="too-stale")])
        event = events_of(server, await_outcome=True)[-1]
        assert event.kind == "outcome"
        assert (event.detail["state"], event.detail["reason"]) == ("quarantined", "too-stale")

    def test_stops_while_it_waits(self) -> None:
        stop = threading.Event()
        server = FakeServer(ticket=[problem(429, "cohort-full", retryAfterMs=60_000)])
        client = client_of(server)
        summary = participate(client, "task", train, stop=stop, on_event=lambda _event: stop.set())
        assert (summary.reason, server.count("ticket")) == ("stopped", 1)


class TestPurpose:
    def test_is_none_where_the_server_says_none(self) -> None:
        assert events_of(FakeServer())[0].detail["purpose"] is None

    def test_that_a_client_refuses_ends_it_before_anything_is_downloaded(self) -> None:
        server = FakeServer(ticket=[answer(200, {**TICKET, "purpose": "advertising"})])
        summary = participate(client_of(server), "task", train, accepts=lambda ticket: ticket.purpose == "research")
        assert (summary.reason, server.count("model"), server.count("package")) == ("declined", 0, 0)

    def test_that_a_client_accepts_changes_nothing(self) -> None:
        server = FakeServer(ticket=[answer(200, {**TICKET, "purpose": "research"})])
        summary = participate(
            client_of(server), "task", train, accepts=lambda ticket: ticket.purpose == "research", max_updates=1
        )
        assert summary.updates == 1


class TestWhatTrainingGives:
    @pytest.mark.parametrize(
        ("trained", "code"),
        [
            (Trained(np.array([1, np.nan], np.float32), 1), "update-not-finite"),
            (Trained(np.array([1, np.inf], np.float32), 1), "update-not-finite"),
            (Trained(np.array([1, 1e39]), 1), "update-not-finite"),  # type: ignore[arg-type]
            (Trained(np.zeros(3, np.float32), 1), "update-length"),
            (Trained(np.zeros((2, 1), np.float32), 1), "update-length"),
            (Trained(np.zeros(2, np.float32), 0), "update-examples"),
            (Trained(np.zeros(2, np.float32), True), "update-examples"),
            (Trained(np.zeros(2, np.float32), 1.5), "update-examples"),  # type: ignore[arg-type]
        ],
    )
    @pytest.mark.filterwarnings("ignore:overflow")
    def test_is_checked_before_anything_is_uploaded(self, trained: Trained, code: str) -> None:
        server = FakeServer()
        with pytest.raises(TributaryError) as raised:
            participate(client_of(server), "task", lambda _given: trained)
        assert (raised.value.code, server.count("declare")) == (code, 0)

    def test_may_count_examples_with_numpy(self) -> None:
        server = FakeServer()
        participate(client_of(server), "task", lambda g: replace(train(g), examples=np.int64(9)), max_updates=1)
        assert server.body("declare")["examples"] == 9

    @pytest.mark.parametrize("metrics", [{"accuracy/val": 1.0}, {"": 1.0}, {f"m{i}": 1.0 for i in range(21)}])
    def test_with_metrics_that_the_server_would_refuse_is_refused_here(self, metrics: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="metric"):
            participate(client_of(FakeServer()), "task", lambda given: replace(train(given), metrics=metrics))


class TestAFailingNetwork:
    def test_is_tried_again_with_pauses_below_a_doubling_ceiling(self) -> None:
        server = FakeServer(ticket=[lost(), answer(500), problem(503, "busy", retryAfterMs=100)])
        slept: list[float] = []
        participate(client_of(server, slept=slept, random=0.5), "task", train, max_updates=1)
        # Half of 0.2, 0.4 and 0.8 s; the last one after the 0.1 s that the server asked for.
        assert slept == [pytest.approx(s) for s in (0.1, 0.2, 0.5)]

    def test_waits_where_api_gateway_turns_it_away_which_does_not_say_for_how_long(self) -> None:
        def refusals() -> list[Any]:
            return [
                answer(429, b'{"message":"Too Many Requests"}'),
                answer(503, b'{"message":"Service Unavailable"}'),
            ]

        server = FakeServer(ticket=refusals(), declare=refusals())
        slept: list[float] = []
        assert participate(client_of(server, slept=slept, random=0.5), "task", train, max_updates=1).updates == 1
        assert (server.count("ticket"), server.count("declare")) == (3, 3)
        # A ticket is asked for again after 2 s and a quarter of it; what fails, below a doubling ceiling.
        assert slept == [pytest.approx(s) for s in (2.5, 0.1, 0.1, 0.2)]

    def test_waits_as_retry_after_says(self) -> None:
        server = FakeServer(declare=[answer(503, retry_after="7")])
        slept: list[float] = []
        participate(client_of(server, slept=slept), "task", train, max_updates=1)
        assert slept == [7.0]

    def test_is_given_up_after_six_tries_with_the_last_reason(self) -> None:
        server = FakeServer(ticket=[lost() for _ in range(9)])
        with pytest.raises(TributaryError, match=r"network.*ECONNREFUSED"):
            participate(client_of(server), "task", train)
        assert server.count("ticket") == 6

    def test_asks_for_a_new_url_when_storing_failed_and_takes_412_on_the_second_try_as_stored(self) -> None:
        server = FakeServer(put=[lost(), answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")])
        assert participate(client_of(server), "task", train, max_updates=1).updates == 1
        assert server.count("declare") == 2

    def test_asks_for_a_new_url_when_one_expired_and_gives_up_the_ticket_that_expired_with_it(self) -> None:
        server = FakeServer(
            put=[answer(403, EXPIRED_URL), answer(403, EXPIRED_URL)],
            declare=[answer(200, PUT), problem(410, "ticket-expired")],
        )
        assert kinds(events_of(server)).count("abandoned") == 1
        # One for the ticket that expired, two for the next, whose first URL had expired.
        assert server.count("put") == 3

    def test_does_not_take_412_on_the_very_first_try_as_stored(self) -> None:
        server = FakeServer(put=[answer(412)])
        with pytest.raises(TributaryError, match="http-412"):
            participate(client_of(server), "task", train)

    @pytest.mark.parametrize(
        ("status", "code"),
        [(400, "http-400"), (401, "identity-refused"), (403, "identity-refused"), (413, "http-413"), (422, "http-422")],
    )
    def test_is_not_what_a_refusal_is(self, status: int, code: str) -> None:
        server = FakeServer(declare=[answer(status, b"no")])
        with pytest.raises(TributaryError) as raised:
            participate(client_of(server), "task", train)
        assert (raised.value.code, server.count("declare")) == (code, 1)

    def test_fetches_a_file_again_whose_checksum_is_wrong(self) -> None:
        server = FakeServer(package=[answer(200, b"abd")])
        participate(client_of(server), "task", train, max_updates=1)
        assert server.count("package") == 2

    def test_goes_on_to_the_next_ticket_when_one_expired_during_training(self) -> None:
        events = events_of(FakeServer(declare=[problem(410, "ticket-expired")]))
        assert kinds(events).count("abandoned") == 1


class TestAnAnswer:
    @pytest.mark.parametrize(
        "change",
        [
            {"ticket": "short"},
            {"task": "../x"},
            {"baseVersion": -1},
            {"baseVersion": 1.5},
            {"baseVersion": True},
            {"modelUrl": "file:///etc/passwd"},
            {"modelUrl": "http://a b"},
            {"package": {}},
            {"package": {**TICKET["package"], "evaluate.onnx": {"url": "http://a", "bytes": 3, "sha256": "ABC"}}},
            {"plan": {**TICKET["plan"], "learningRate": 0}},
            {"plan": {**TICKET["plan"], "batchSize": "2"}},
            {"codec": "int8"},
            {"expiresAtMs": None},
        ],
    )
    def test_that_is_no_ticket_is_refused_by_its_field(self, change: dict[str, object]) -> None:
        with pytest.raises(TributaryError, match=r"answer-malformed.*(?:is|no JSON)"):
            participate(client_of(FakeServer(ticket=[answer(200, {**TICKET, **change})])), "task", train)

    @pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 50_000, b"NaN"])
    def test_that_is_no_json_is_refused(self, body: bytes) -> None:
        with pytest.raises(TributaryError, match="answer-malformed"):
            participate(client_of(FakeServer(ticket=[answer(200, body)])), "task", train)

    def test_that_names_an_upload_elsewhere_than_over_http_is_refused(self) -> None:
        for change in ({"url": "file:///tmp/x"}, {"headers": {"a": 1}}):
            with pytest.raises(TributaryError, match="answer-malformed"):
                participate(client_of(FakeServer(declare=[answer(200, {**PUT, **change})])), "task", train)

    def test_may_name_a_codec_and_fields_of_tomorrow(self) -> None:
        server = FakeServer(ticket=[answer(200, {**TICKET, "codec": {"kind": "tomorrow"}, "deltas": [], "new": 1})])
        assert participate(client_of(server), "task", train, max_updates=1).updates == 1


class TestAfterACrash:
    @pytest.fixture
    def crashed(self) -> MemoryStore:
        """A store as a client leaves it that dies while it stores its update."""
        store = MemoryStore()
        with pytest.raises(TributaryError, match="network"):
            participate(client_of(FakeServer(put=[lost() for _ in range(6)]), store=store), "task", train)
        return store

    @staticmethod
    def must_not_train(_given: TrainInput) -> Trained:
        raise AssertionError("must not train")

    def test_the_unfinished_update_is_stored_without_training_again(self, crashed: MemoryStore) -> None:
        server, events = FakeServer(), list[Event]()
        summary = participate(
            client_of(server, store=crashed), "task", self.must_not_train, max_updates=1, on_event=events.append
        )
        assert (summary.updates, summary.examples) == (1, 4)
        assert (kinds(events), server.count("ticket")) == (["resumed", "uploaded"], 0)

    def test_412_means_that_the_earlier_process_got_that_far(self, crashed: MemoryStore) -> None:
        server = FakeServer(put=[answer(412)])
        participate(client_of(server, store=crashed), "task", self.must_not_train, max_updates=1)
        assert server.count("ticket") == 0

    def test_an_update_that_is_aggregated_already_counts_as_stored(self, crashed: MemoryStore) -> None:
        server = FakeServer(declare=[problem(409, "ticket-used")])
        summary = participate(client_of(server, store=crashed), "task", self.must_not_train, max_updates=1)
        assert (summary.updates, server.count("ticket")) == (1, 0)

    def test_an_update_whose_ticket_has_expired_is_dropped(self, crashed: MemoryStore) -> None:
        gone = answer(200, {"ticket": TICKET_ID, "task": "task", "state": "expired", "baseVersion": 7})
        server = FakeServer(status=[gone])
        late = client_of(server, store=crashed, clock=lambda: 1_000.0)
        assert participate(late, "task", train, max_updates=1).updates == 1
        assert server.count("ticket") == 1

    def test_it_is_kept_while_nobody_knows_what_became_of_it(self, crashed: MemoryStore) -> None:
        for script in ({"declare": [lost()] * 6}, {"declare": [problem(409, "ticket-used")], "status": [lost()] * 6}):
            with pytest.raises(TributaryError, match="network"):
                participate(client_of(FakeServer(**script), store=crashed), "task", train)  # type: ignore[arg-type]
        server = FakeServer()
        participate(client_of(server, store=crashed), "task", self.must_not_train, max_updates=1)
        assert server.count("ticket") == 0

    @pytest.mark.parametrize("left", [b"", b"{", b'{"ticket":\n', b"[]\n", b"null\nabc", b"\xff\n"])
    def test_what_cannot_be_read_is_dropped(self, left: bytes) -> None:
        store = MemoryStore()
        store.set("pending/task/ann", left)
        server = FakeServer()
        assert participate(client_of(server, store=store), "task", train, max_updates=1).updates == 1
        assert server.count("ticket") == 1

    def test_an_update_that_was_altered_is_dropped(self, crashed: MemoryStore) -> None:
        kept = crashed.get("pending/task/ann") or b""
        crashed.set("pending/task/ann", kept[:-1] + b"!")
        server = FakeServer()
        participate(client_of(server, store=crashed), "task", train, max_updates=1)
        assert server.count("ticket") == 1

    def test_a_folder_keeps_it_and_the_package(self, tmp_path: Path) -> None:
        with pytest.raises(TributaryError, match="network"):
            participate(client_of(FakeServer(put=[lost()] * 6), store=tmp_path / "state"), "task", train)
        left = sorted(path.name for path in (tmp_path / "state").iterdir())
        assert left == [f"artifact%2F{ABC_SHA256}", "pending%2Ftask%2Fann"]
        server = FakeServer()
        participate(client_of(server, store=str(tmp_path / "state")), "task", train, max_updates=2)
        assert (server.count("ticket"), server.count("package")) == (1, 0)
        assert [path.name for path in (tmp_path / "state").iterdir()] == [f"artifact%2F{ABC_SHA256}"]
