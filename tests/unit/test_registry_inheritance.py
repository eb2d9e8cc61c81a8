"""Which handlers a plugin class has from its bases, with which options, and which bases do not go together."""

from typing import Any

import pytest

from mattermost_plugin import HookName, HookRegistrationError, Plugin, hook
from mattermost_pluginapi.hooks.adapters import ADAPTERS
from mattermost_pluginapi.hooks.stubs import PluginHooks
from tests.unit.sample_handlers import alone, copy_of, mark, other, plugin, with_post


class TestInheritance:
    def test_handlers_are_inherited(self) -> None:
        base = plugin(on_activate=alone, log=mark("MessageHasBeenPosted")(copy_of(with_post)))
        assert plugin(base).implemented_hooks() == ["MessageHasBeenPosted", "OnActivate"]
        assert plugin(base, on_deactivate=alone).implemented_hooks() == [
            "MessageHasBeenPosted",
            "OnActivate",
            "OnDeactivate",
        ]
        assert base.implemented_hooks() == ["MessageHasBeenPosted", "OnActivate"]

    def test_an_override_stays_the_handler_with_its_options(self) -> None:
        base = plugin(check=mark("UserWillLogIn", on_error="reject", timeout=3)(copy_of(with_post)))
        spec = plugin(base, check=with_post).hook_handlers[HookName.UserWillLogIn]
        assert (spec.function, spec.on_error, spec.timeout_s) == (with_post, "reject", 3)

    def test_an_override_may_take_another_hook(self) -> None:
        base = plugin(log=mark("MessageHasBeenPosted")(copy_of(with_post)))
        sample = plugin(base, log=mark("MessageHasBeenDeleted")(copy_of(with_post)))
        assert sample.implemented_hooks() == ["MessageHasBeenDeleted"]

    @pytest.mark.parametrize(("old", "new"), [("start", "begin"), ("on_activate", "begin"), ("start", "on_activate")])
    def test_a_handler_with_another_name_replaces_the_inherited_one(self, old: str, new: str) -> None:
        base = plugin(**{old: mark("OnActivate")(copy_of(alone))})
        sample = plugin(base, **{new: mark("OnActivate")(copy_of(other))})
        assert sample.hook_handlers[HookName.OnActivate].attribute == new
        assert base.hook_handlers[HookName.OnActivate].attribute == old

    def test_an_override_must_fit_the_hook(self) -> None:
        base = plugin(start=mark("OnActivate")(copy_of(alone)))
        with pytest.raises(HookRegistrationError, match=r"Sample\.start must take \(self\)"):
            plugin(base, start=with_post)

    def test_a_mixin_brings_its_handlers(self) -> None:
        mixin = type("Mixin", (), {"start": mark("OnActivate")(copy_of(alone)), "on_deactivate": other})
        assert plugin(mixin, Plugin).implemented_hooks() == ["OnActivate", "OnDeactivate"]

    def test_a_mixin_must_fit_its_hooks(self) -> None:
        mixin = type("Mixin", (), {"on_activate": with_post})
        with pytest.raises(HookRegistrationError, match=r"Sample\.on_activate must take \(self\)"):
            plugin(mixin, Plugin)


class TestOptions:
    BASE = staticmethod(lambda: plugin(check=mark("UserWillLogIn", on_error="reject", timeout=3)(copy_of(with_post))))

    @pytest.mark.parametrize(
        ("options", "on_error", "timeout"),
        [
            ({"timeout": 5}, "reject", 5),
            ({"on_error": "allow"}, "allow", 3),
            ({}, "reject", 3),
            ({"on_error": "allow", "timeout": 5}, "allow", 5),
        ],
    )
    @pytest.mark.parametrize("name", ["check", "user_will_log_in", "verify"])
    def test_what_a_decorator_leaves_out_is_as_the_replaced_handler_has_it(
        self, name: str, options: dict[str, Any], on_error: str, timeout: float
    ) -> None:
        sample = plugin(self.BASE(), **{name: mark("UserWillLogIn", **options)(copy_of(with_post))})
        spec = sample.hook_handlers[HookName.UserWillLogIn]
        assert (spec.attribute, spec.on_error, spec.timeout_s) == (name, on_error, timeout)

    def test_an_undecorated_override_of_the_stub_has_them_too(self) -> None:
        spec = plugin(self.BASE(), user_will_log_in=with_post).hook_handlers[HookName.UserWillLogIn]
        assert (spec.attribute, spec.on_error, spec.timeout_s) == ("user_will_log_in", "reject", 3)

    def test_each_option_comes_from_the_nearest_that_has_it(self) -> None:
        nearer = plugin(self.BASE(), check=mark("UserWillLogIn", timeout=5)(copy_of(with_post)))
        spec = plugin(nearer, check=mark("UserWillLogIn")(copy_of(with_post))).hook_handlers[HookName.UserWillLogIn]
        assert (spec.on_error, spec.timeout_s) == ("reject", 5)

    def test_options_of_another_hook_do_not_count(self) -> None:
        sample = plugin(self.BASE(), check=mark("MessageWillBePosted")(copy_of(with_post)))
        spec = sample.hook_handlers[HookName.MessageWillBePosted]
        assert (spec.on_error, spec.timeout_s) == ("allow", None)


class TestLostHandlers:
    def test_a_mixin_behind_the_stub_is_refused(self) -> None:
        mixin = type("Mixin", (), {"on_activate": alone})
        for bases in ((Plugin, mixin), (plugin(on_deactivate=alone), mixin)):
            with pytest.raises(HookRegistrationError) as caught:
                plugin(*bases)
            assert str(caught.value) == (
                "Mixin.on_activate would never handle OnActivate, because the stub in Plugin hides it: "
                "put Mixin before Plugin in the bases of Sample"
            )
            assert (caught.value.hook, caught.value.handler) == ("OnActivate", "Mixin.on_activate")

    def test_a_mixin_behind_the_plugin_is_fine_where_its_handler_is_found(self) -> None:
        mixin = type("Mixin", (), {"start": mark("OnActivate")(copy_of(alone))})
        sample = plugin(Plugin, mixin)
        assert sample.hook_handlers[HookName.OnActivate].function is getattr(sample, "start")  # noqa: B009 - not declared

    @pytest.mark.parametrize(
        ("first", "second"),
        [("start", "begin"), ("start", "start"), ("on_activate", "on_activate"), ("on_activate", "start")],
    )
    def test_two_unrelated_handlers_are_refused(self, first: str, second: str) -> None:
        one = type("One", (), {first: mark("OnActivate")(copy_of(alone))})
        two = type("Two", (), {second: mark("OnActivate")(copy_of(other))})
        for bases in ((one, two, Plugin), (one, plugin(two, Plugin))):
            with pytest.raises(HookRegistrationError) as caught:
                plugin(*bases)
            assert str(caught.value) == (
                f"Two.{second} would never handle OnActivate, because One.{first} comes first and One does not derive "
                "from Two: define a handler in Sample itself; it can call both"
            )

    @pytest.mark.parametrize("name", ["start", "begin", "on_activate", "last"])
    def test_a_handler_of_the_class_itself_settles_it(self, name: str) -> None:
        one = type("One", (), {"start": mark("OnActivate", timeout=3)(copy_of(alone))})
        two = type("Two", (), {"begin": mark("OnActivate")(copy_of(other))})
        sample = plugin(one, two, Plugin, **{name: mark("OnActivate")(copy_of(alone))})
        for made in (sample, plugin(sample)):
            spec = made.hook_handlers[HookName.OnActivate]
            assert (spec.attribute, spec.timeout_s) == (name, 3)

    def test_a_mixin_may_replace_the_handler_of_one_that_it_derives_from(self) -> None:
        one = type("One", (), {"start": mark("OnActivate")(copy_of(alone))})
        two = type("Two", (one,), {"begin": mark("OnActivate")(copy_of(other))})
        assert plugin(two, one, Plugin).hook_handlers[HookName.OnActivate].attribute == "begin"

    def test_a_method_that_hides_a_handler_of_another_class_is_refused(self) -> None:
        one = type("One", (), {"start": other})
        two = type("Two", (), {"start": mark("OnActivate")(copy_of(alone))})
        with pytest.raises(
            HookRegistrationError, match=r"^Two\.start would never handle OnActivate, because One\.start"
        ):
            plugin(one, two, Plugin)
        three = type("Three", (), {"config": mark("OnActivate")(copy_of(alone))})
        with pytest.raises(HookRegistrationError, match=r"because Plugin\.config comes first"):
            plugin(Plugin, three)

    def test_a_method_may_leave_its_hook_to_another_class(self) -> None:
        one = type("One", (), {"log": mark("OnActivate")(copy_of(alone))})
        two = type("Two", (), {"begin": mark("OnActivate")(copy_of(alone))})
        sample = plugin(one, two, Plugin, log=mark("OnDeactivate")(copy_of(alone)))
        assert sample.hook_handlers[HookName.OnActivate].attribute == "begin"
        assert sample.hook_handlers[HookName.OnDeactivate].attribute == "log"


class TestStubs:
    def test_a_stub_can_be_called_where_none_is_an_answer(self) -> None:
        class Sample(Plugin):
            def on_activate(self) -> None:
                assert super().on_activate() is None

            @hook(HookName.UserWillLogIn)
            def check(self, context: object, user: object) -> None:
                assert super().user_will_log_in(mark, mark) is None

        Sample().on_activate()
        Sample().check(None, None)
        assert Sample.implemented_hooks() == ["OnActivate", "UserWillLogIn"]

    @pytest.mark.parametrize("name", ["RunDataRetention", "OnSharedChannelsPing"])
    def test_a_stub_that_has_no_answer_says_so(self, name: str) -> None:
        adapter = ADAPTERS[HookName[name]]
        stub = getattr(PluginHooks(), adapter.method)
        with pytest.raises(
            NotImplementedError, match=f"^{name} needs an answer, and the stub has none: do not call it"
        ):
            stub(*adapter.parameters)

    def test_an_http_stub_answers_as_a_server_without_a_handler(self) -> None:
        class Writer:
            status = 0

            def write_header(self, status: int) -> None:
                self.status = status

        writer: Any = Writer()
        assert PluginHooks().serve_http(mark, writer, mark) is None
        assert writer.status == 404
