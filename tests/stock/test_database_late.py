"""Answers of the database that come when nobody waits for them any more."""

import asyncio
from concurrent.futures import Future

import pytest

from mattermost_plugin import db
from mattermost_plugin._stock import driver_threads
from mattermost_plugin.server import PluginServer
from tests.stock.database_use import scenario
from tests.stock.driver_host import DriverHost
from tests.stock.stand_in import StandInHost


def test_a_statement_that_outlasts_the_timeout_is_cleaned_up_when_it_ends() -> None:
    async def function(driver: DriverHost, host: StandInHost, server: PluginServer) -> None:
        held = driver.held["ConnQuery"] = asyncio.Event()

        def run() -> None:
            connection = server.plugin.db.connect(timeout=0.05)
            with pytest.raises(db.ConnectionLostError, match="no answer within"):
                connection.execute("SELECT 1")
            assert connection.closed
            connection.close()

        await asyncio.to_thread(run)
        # What the server still works on is not disturbed.
        assert [len(things) for things in (driver.conns, driver.txs)] == [1, 1]
        assert "ConnClose" not in driver.calls
        held.set()
        await driver.closed.wait()
        assert driver.calls[-3:] == ["RowsClose", "TxRollback", "ConnClose"]

    scenario(function)


def test_a_connection_that_comes_too_late_is_given_back() -> None:
    async def function(driver: DriverHost, host: StandInHost, server: PluginServer) -> None:
        held = driver.held["Conn"] = asyncio.Event()

        def run() -> None:
            with pytest.raises(db.ConnectionLostError, match="no answer"):
                server.plugin.db.connect(timeout=0.05)

        await asyncio.to_thread(run)
        held.set()
        await driver.closed.wait()
        assert driver.is_clean

    scenario(function)


@pytest.mark.parametrize("method", ["Conn", "ConnQuery"])
def test_an_answer_in_the_moment_of_the_timeout_leaves_nothing(method: str) -> None:
    async def function(driver: DriverHost, host: StandInHost, server: PluginServer) -> None:
        outcome = driver_threads.outcome

        def too_late(future: Future[object], timeout_s: float) -> object:
            found = outcome(future, timeout_s)
            if driver.calls[-1] == "Conn" and method != "Conn":
                return found
            raise db.ConnectionLostError("too late")

        def run() -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(driver_threads, "outcome", too_late)
                with pytest.raises(db.ConnectionLostError, match="too late"):
                    server.plugin.db.connect().execute("SELECT 1")

        await asyncio.to_thread(run)
        await asyncio.wait_for(driver.closed.wait(), 5)
        assert driver.is_clean

    scenario(function)
