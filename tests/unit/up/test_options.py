"""Tests of what an operator may choose, of the children that follow, and of the run file."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import SetupFault
from gateway.up import plan, runfile
from gateway.up.children import Check, Child, restart_delay, stop_order
from gateway.up.options import DEFAULT_PORTS, Options, check_options, check_port, choose_ports
from gateway.up.runfile import RunFile

SECRETS = plan.Secrets("key", "secret", "password")
NAMES = ["a", "b", "c", "d"]


def test_every_port_has_a_default_and_can_be_chosen() -> None:
    assert choose_ports("127.0.0.1") == DEFAULT_PORTS
    chosen = choose_ports("127.0.0.1", named=["livekit=7980", "redis=6400"], sip=5070)
    assert (chosen["livekit"], chosen["redis"], chosen["sip"], chosen["speech"]) == (7980, 6400, 5070, 7890)


def test_free_ports_are_all_different() -> None:
    assert len(set(choose_ports("127.0.0.1", auto="auto").values())) == len(DEFAULT_PORTS)


@pytest.mark.parametrize("named", ["banana=1", "sip", "sip=0", "sip=65536", "sip=x"])
def test_a_port_that_cannot_be_is_told_with_the_names(named: str) -> None:
    with pytest.raises(SetupFault, match="worker-agents"):
        choose_ports("127.0.0.1", named=[named])


def test_ports_know_no_other_word_than_auto() -> None:
    with pytest.raises(SetupFault, match="--ports auto"):
        choose_ports("127.0.0.1", auto="any")


def test_a_taken_port_is_told_with_its_name() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        with pytest.raises(SetupFault, match="--port control=NUMBER"):
            check_port("127.0.0.1", "control", taken.getsockname()[1])


def test_another_livekit_needs_its_key(tmp_path: Path) -> None:
    with pytest.raises(SetupFault, match="LIVEKIT_API_KEY"):
        check_options(Options(tmp_path, livekit_url="ws://lk"))
    check_options(Options(tmp_path, livekit_url="ws://lk", livekit_api_key="k", livekit_api_secret="s"))


def test_addresses_given_are_used_and_nothing_is_started_for_them(tmp_path: Path) -> None:
    options = Options(
        tmp_path, livekit_url="ws://lk", livekit_api_key="k", livekit_api_secret="s", redis_url="redis://r"
    )
    where = plan.addresses(options, SECRETS)
    assert (where.livekit_url, where.redis_url) == ("ws://lk", "redis://r")
    assert plan.servers(options, where, {}, tmp_path) == []


def test_an_external_sip_service_leaves_the_edge_out(tmp_path: Path) -> None:
    options = Options(tmp_path, embedded_sip=False)
    where = plan.addresses(options, SECRETS)
    names = [child.name for child in plan.ours(options, where, SECRETS, plan.installed())]
    assert names == ["speech", "control", "worker-agents", "worker-house"]
    assert where.sip == ""


def test_a_slow_machine_is_given_longer(tmp_path: Path) -> None:
    for options, seconds in ((Options(tmp_path), 60.0), (Options(tmp_path, patience=180.0), 180.0)):
        made = plan.ours(options, plan.addresses(options, SECRETS), SECRETS, plan.installed())
        assert {child.patience for child in made} == {seconds}


def test_secrets_are_no_part_of_what_is_printed(tmp_path: Path) -> None:
    where = plan.addresses(Options(tmp_path), SECRETS)
    shown = repr((SECRETS, where, plan.ours(Options(tmp_path), where, SECRETS, plan.installed())))
    assert "password" not in shown.replace("redis_password", "")
    assert "'secret'" not in shown


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=8))
def test_who_leans_on_another_ends_before_it(leans: list[tuple[str, str]]) -> None:
    after = {name: tuple(other for one, other in leans if one == name and other > name) for name in NAMES}
    order = [one.name for one in stop_order([Child(name, (), Check.HTTP, "", after=after[name]) for name in NAMES])]
    assert sorted(order) == NAMES
    assert all(order.index(name) < order.index(other) for name in NAMES for other in after[name])


def test_a_child_that_keeps_dying_is_given_more_time() -> None:
    assert [restart_delay(deaths) for deaths in (0, 1, 2, 3, 10)] == [0.2, 0.2, 0.4, 0.8, 5.0]


def a_run(pid: int) -> RunFile:
    return RunFile(
        pid=pid, sip="127.0.0.1:5060", livekit_url="ws://lk", livekit_api_key="k", livekit_api_secret="s",
        redis_url="redis://r", database_url="sqlite://", speech_url="http://s", http={}, started=1.0,
    )  # fmt: skip


def test_a_run_file_is_its_owners_alone_and_goes_with_its_process(tmp_path: Path) -> None:
    runfile.write(tmp_path, a_run(os.getpid()))
    assert stat.S_IMODE((tmp_path / runfile.NAME).stat().st_mode) == 0o600
    assert runfile.read(tmp_path) == a_run(os.getpid())
    runfile.write(tmp_path, a_run(2**22 + 1))
    assert runfile.read(tmp_path) is None, "no such process runs"
    runfile.remove(tmp_path)
    runfile.remove(tmp_path)
    assert runfile.read(tmp_path) is None
