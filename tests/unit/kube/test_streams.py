"""The channels of a container's streams, as they are on the wire, against a server that speaks them."""

from __future__ import annotations

import json

import pytest

from nuages.errors import Forbidden, Gone, Rejected, Unreachable
from nuages.kube.channels import FIVE, FOUR
from nuages.kube.failures import Asked
from nuages.kube.streams import Way, opened

from .talking import talking

pytestmark = pytest.mark.unit
ASKED = Asked("attach to", "Pod", "blog-run-abcde", "blog-local")


async def test_output_and_errors_come_by_channel_and_the_end_is_the_end():
    async def story(connection):
        for message in (b"\x01", b"\x01hello", b"\x02oops", b'\x03{"status":"Success"}'):
            await connection.send(message)

    async with talking(story, FIVE) as way, opened(way, "/attach", {}, ASKED) as stream:
        assert [found async for found in stream] == [(1, b"hello"), (2, b"oops")]


@pytest.mark.parametrize(
    ("protocol", "told"),
    [
        (FIVE, [b"\x00abc", b'\x04{"Width":91,"Height":33}', b"\xff\x00"]),
        (FOUR, [b"\x00abc", b'\x04{"Width":91,"Height":33}']),
    ],
)
async def test_input_size_and_its_end_are_told_as_the_protocol_allows(protocol, told):
    heard = []

    async def story(connection):
        heard.extend([message async for message in connection])

    async with talking(story, protocol) as way, opened(way, "/attach", {}, ASKED) as stream:
        assert stream.closes_input is (protocol == FIVE)
        await stream.send(b"abc")
        await stream.resize(91, 33)
        await stream.close_input()
    assert heard == told


async def test_the_user_and_the_parameters_are_those_of_every_other_request():
    async def story(connection):
        request = connection.request
        await connection.send(b"\x01" + f"{request.path} {request.headers['Authorization']}".encode())

    async with talking(story, FIVE) as way, opened(way, "/attach", {"container": "run"}, ASKED) as stream:
        assert [found async for found in stream] == [(1, b"/attach?container=run Bearer abc")]


@pytest.mark.parametrize(
    ("code", "message", "error"),
    [
        (403, 'pods "x" is forbidden: User "ada" cannot create resource "pods/attach" in API group ""', Forbidden),
        (404, 'pods "x" not found', Gone),
    ],
)
async def test_a_refusal_is_the_error_that_it_would_be_elsewhere(code, message, error):
    def refuse(connection, request):
        return connection.respond(code, json.dumps({"kind": "Status", "code": code, "message": message}))

    async with talking(None, FIVE, process_request=refuse) as way:
        with pytest.raises(error):
            async with opened(way, "/attach", {}, ASKED):
                pass


async def test_a_connection_that_breaks_is_not_an_end():
    async def story(connection):
        await connection.send(b"\x01hello")
        connection.transport.abort()

    async with talking(story, FIVE) as way, opened(way, "/attach", {}, ASKED) as stream:
        with pytest.raises(Unreachable):
            assert [found async for found in stream]


async def test_a_server_that_is_not_there_is_told_in_words():
    with pytest.raises(Unreachable, match="attach to Pod blog-local/blog-run-abcde"):
        async with opened(Way("http://127.0.0.1:1", {}, None, None), "/attach", {}, ASKED):
            pass


async def test_what_the_cluster_says_went_wrong_is_said():
    async def story(connection):
        await connection.send(b'\x03{"kind":"Status","status":"Failure","code":404,"message":"container not found"}')

    async with talking(story, FIVE) as way, opened(way, "/attach", {}, ASKED) as stream:
        with pytest.raises(Gone, match="container not found"):
            assert [found async for found in stream] == []


async def test_credentials_follow_no_redirect():
    """An API server passes on what a node answers: one that was taken over would send us to a place of its own."""
    heard = []

    async def listen(connection):
        heard.append(connection.request.headers.get("Authorization"))

    async with talking(listen, FIVE) as elsewhere:

        def redirect(connection, request):
            response = connection.respond(302, "")
            response.headers["Location"] = elsewhere.url.replace("http:", "ws:")
            return response

        async with talking(None, FIVE, process_request=redirect) as way:
            with pytest.raises(Rejected):
                async with opened(way, "/attach", {}, ASKED):
                    pass
    assert heard == []
