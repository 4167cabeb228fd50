"""connectContainer: frames, identity, close codes and cuts (platform.md §2)."""

import json

import pytest
import websocket

from cloudrun.identity import openid_of
from cloudrun.local import LocalCloudRun
from tests.cloudrun.support import PATIENCE, STANDIN, until


class Ends:
    """Opens sockets and closes what is left open."""

    def __init__(self, cloud):
        self.cloud, self.sockets = cloud, []

    def __call__(self, path="/v1/socket", cloud=None, **headers):
        headers = {"X-Local-User": "alice"} | {name.replace("_", "-"): value for name, value in headers.items()}
        protocols = headers.pop("protocols", None)
        address = (cloud or self.cloud).url.replace("http", "ws") + path
        socket = websocket.create_connection(address, header=headers, timeout=PATIENCE, subprotocols=protocols)
        self.sockets.append(socket)
        return socket


@pytest.fixture
def opened(cloud):
    ends = Ends(cloud)
    yield ends
    for socket in ends.sockets:
        socket.shutdown()
    until(lambda: not cloud.state()["sockets"], "the gateway let go of every socket")


def who(socket):
    socket.send("who")
    return json.loads(socket.recv())


def was_cut(socket):
    """Whether the connection ended without a closing handshake."""
    try:
        code, _ = socket.recv_data()
    except (websocket.WebSocketConnectionClosedException, ConnectionError):
        return True
    return code != websocket.ABNF.OPCODE_CLOSE and was_cut(socket)


def test_text_and_bytes_pass_both_ways_whole(opened):
    socket = opened()
    for size in (0, 1, 125, 126, 65535, 65536, 300_000):
        socket.send("云" * (size // 3))
        assert socket.recv() == "云" * (size // 3)
    socket.send_binary(bytes(range(256)))
    assert socket.recv() == bytes(range(255, -1, -1))


def test_the_handshake_carries_the_identity_and_drops_the_forged_one(opened):
    seen = who(opened(X_WX_OPENID="oforged"))["headers"]
    assert seen["x-wx-openid"] == openid_of("alice") and "oforged" not in json.dumps(seen)


def test_a_browser_names_its_user_in_the_query(opened):
    seen = who(opened("/v1/socket?a=1&local_user=bob", X_Local_User=""))
    assert seen["headers"]["x-wx-openid"] == openid_of("bob") and seen["query"] == "a=1"


def test_ios_high_performance_mode_carries_no_identity(cloud, opened):
    cloud.faults(ios_high_performance=True)
    assert not [name for name in who(opened())["headers"] if name.startswith("x-wx")]


def test_subprotocol_and_pings_reach_the_container(opened):
    socket = opened(protocols=["a", "x"])
    assert socket.getsubprotocol() == "a"
    socket.ping("beat")
    assert socket.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"beat")


@pytest.mark.parametrize("code", [1000, 1012, 4401, 4999])
def test_the_containers_close_code_reaches_the_client(opened, code):
    socket = opened()
    socket.send(f"close {code}")
    opcode, data = socket.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE and int.from_bytes(data[:2], "big") == code


def test_the_clients_close_code_reaches_the_container(cloud, opened):
    socket = opened(X_Local_Instance="1")
    socket.close(4321)
    until(lambda: "socket closed 4321" in cloud.log(1), "the container saw the code")


def test_a_refused_handshake_keeps_the_containers_status(opened):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        opened("/v1/refuse-socket")
    assert refused.value.status_code == 403


def test_a_user_has_at_most_five_sockets(cloud, opened):
    for _ in range(5):
        opened()
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        opened()
    assert refused.value.status_code == 599
    assert who(opened(X_Local_User="bob"))["headers"]["x-wx-openid"] == openid_of("bob")
    opened.sockets[0].shutdown()
    until(lambda: cloud.state()["sockets"]["alice"] == 4, "the place came free")
    assert who(opened())


def test_another_service_does_not_exist_for_sockets_either(opened):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        opened("/v1/socket?local_service=other")
    assert refused.value.resp_headers["x-local-errcode"] == "-601031"


@pytest.mark.parametrize("switch", [{"socket_cut_seconds": 0.2}, {"socket_idle_seconds": 0.2}])
def test_sockets_are_cut_without_a_goodbye(cloud, opened, switch):
    cloud.faults(**switch)
    assert was_cut(opened())


def test_going_offline_and_cutting_by_hand(cloud, opened):
    first, second = opened(), opened(X_Local_User="bob")
    assert cloud.control("sockets/cut", {"user": "bob"}) == {"cut": 1}
    assert was_cut(second)
    first.send("still here")
    assert first.recv() == "still here"
    cloud.faults(offline=True)
    assert was_cut(first)
    with pytest.raises((websocket.WebSocketException, OSError)):
        opened()


def test_the_container_learns_of_a_cut(cloud, opened):
    before = cloud.log(1).count("socket closed")
    socket = opened(X_Local_Instance="1")
    cloud.control("sockets/cut", {})
    assert was_cut(socket)
    until(lambda: cloud.log(1).count("socket closed") > before, "the container noticed")


def test_a_dying_instance_takes_its_sockets_with_it(opened):
    with LocalCloudRun(folder=STANDIN) as cloud:
        socket = opened(cloud=cloud)
        assert who(socket)
        cloud.kill(1)
        assert was_cut(socket)


def test_slow_frames_arrive_in_order(cloud, opened):
    cloud.faults(latency_ms=5, bytes_per_second=10_000)
    socket = opened()
    for n in range(20):
        socket.send(str(n))
    assert [socket.recv() for _ in range(20)] == [str(n) for n in range(20)]


def test_a_socket_over_the_public_link_needs_the_link(cloud, opened):
    with pytest.raises(websocket.WebSocketBadStatusException) as refused:
        opened("/v1/socket?local_link=public")
    assert refused.value.status_code == 403
    cloud.faults(public_link=True)
    seen = who(opened("/v1/socket?local_link=public", X_WX_OPENID="oforged"))["headers"]
    assert seen["x-wx-openid"] == "oforged"
