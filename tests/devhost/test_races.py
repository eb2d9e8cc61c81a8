"""What happens at once, or while a hook thinks."""

import asyncio

from tests.devhost.hooked import Eraser, run
from tests.devhost.plugins import Loaded
from tests.devhost.site import Refused


def test_a_post_that_is_deleted_while_hooks_look_at_its_edit_stays_deleted() -> None:
    async def scenario(here: Loaded) -> None:
        post = await here.host.act.post(here.ada.id, here.channel.id, "x")
        await here.api.error("UpdatePost", 404, "app.post.get", post=post)
        assert here.host.store.posts.get(post.id).delete_at  # type: ignore[union-attr]  # it is there

    run(scenario, Eraser)


def test_settings_that_plugins_save_at_once_are_all_kept() -> None:
    async def scenario(here: Loaded) -> None:
        for number in range(5):
            saves = [api("SavePluginConfig", config={"n": number}) for api in here.apis.values()]
            await asyncio.gather(*saves)
        for api in here.apis.values():
            assert (await api("GetPluginConfig")).config["n"] == 4

    run(scenario)


def test_the_last_piece_of_an_upload_counts_once() -> None:
    async def scenario(here: Loaded) -> None:
        given = {"id": "u" * 26, "type": "attachment", "user_id": here.ada.id, "filename": "a", "file_size": 3}
        session = {"upload_session": {**given, "channel_id": here.channel.id}}
        await here.api("CreateUploadSession", **session)
        pieces = [here.api("UploadData", **session, data=b"abc") for _ in range(5)]
        answers = await asyncio.gather(*pieces, return_exceptions=True)
        assert [isinstance(each, Refused) for each in answers].count(False) == 1
        assert here.host.store.files.count() == 1
        (info,) = here.host.store.files.select()
        assert (await here.api("GetFile", file_id=info.id)).data == b"abc1"

    run(scenario)


def test_each_plugin_has_its_own_keys_and_a_race_has_one_winner() -> None:
    async def scenario(here: Loaded) -> None:
        first, second = here.apis.values()
        await first("KVSet", key="k", value=b"1")
        assert (await second("KVGet", key="k")).value == b""
        tries = [
            first("KVCompareAndSet", key="lock", old_value=b"", new_value=str(number).encode()) for number in range(50)
        ]
        won = [number for number, answer in enumerate(await asyncio.gather(*tries)) if answer.success]
        assert len(won) == 1
        assert (await first("KVGet", key="lock")).value == str(won[0]).encode()

    run(scenario)
