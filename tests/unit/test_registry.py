"""Which methods of a plugin class are handlers, and what a class is refused for when it is made."""

import functools
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from mattermost_plugin import HookName, HookRegistrationError, Plugin, hook
from tests.unit.sample_handlers import alone, copy_of, mark, plugin, with_post


class TestNames:
    def test_a_stub_is_overridden(self) -> None:
        spec = plugin(on_activate=alone).hook_handlers[HookName.OnActivate]
        assert (spec.attribute, spec.label, spec.function) == ("on_activate", "Sample.on_activate", alone)
        assert (spec.is_async, spec.on_error, spec.timeout_s) == (False, "error", None)

    @pytest.mark.parametrize("name", [HookName.OnActivate, "OnActivate", "on_activate"])
    def test_the_decorator_names_the_hook(self, name: str) -> None:
        sample = plugin(start=mark(name)(copy_of(alone)))
        assert sample.hook_handlers[HookName.OnActivate].attribute == "start"

    def test_the_bare_decorator_takes_gos_name(self) -> None:
        class Sample(Plugin):
            @hook
            def OnActivate(self) -> None: ...

        assert Sample.implemented_hooks() == ["OnActivate"]

    def test_the_bare_decorator_takes_pythons_name(self) -> None:
        class Sample(Plugin):
            @hook
            def on_activate(self) -> None: ...

            @hook(timeout=5, on_error="allow")
            async def on_deactivate(self) -> None: ...

        assert Sample.implemented_hooks() == ["OnActivate", "OnDeactivate"]
        spec = Sample.hook_handlers[HookName.OnDeactivate]
        assert (spec.is_async, spec.on_error, spec.timeout_s) == (True, "allow", 5.0)

    def test_a_handler_may_be_private(self) -> None:
        class Sample(Plugin):
            @hook(HookName.OnActivate)
            def _start(self) -> None: ...

            @hook(HookName.OnDeactivate)
            def __stop(self) -> None: ...

        assert Sample.implemented_hooks() == ["OnActivate", "OnDeactivate"]

    def test_a_decorated_stub_handles_the_hook_that_the_decorator_names(self) -> None:
        assert plugin(on_deactivate=mark("OnActivate")(copy_of(alone))).implemented_hooks() == ["OnActivate"]

    def test_other_methods_are_no_handlers(self) -> None:
        assert plugin(on_activated=alone, helper=with_post, number=5).implemented_hooks() == []

    @pytest.mark.parametrize(
        ("name", "nearest"),
        [("MessageWillBePostd", "MessageWillBePosted"), ("message_wil_be_posted", "message_will_be_posted")],
    )
    def test_an_unknown_name_is_refused_with_the_nearest(self, name: str, nearest: str) -> None:
        with pytest.raises(HookRegistrationError) as caught:
            mark(name)(with_post)
        assert str(caught.value) == f"there is no hook '{name}'; did you mean {nearest}?"
        assert (caught.value.hook, caught.value.handler) == (name, "with_post")

    @pytest.mark.parametrize("name", ["", "Teapot", "Implemented"])
    def test_a_name_like_no_other_is_refused(self, name: str) -> None:
        with pytest.raises(HookRegistrationError, match=f"^there is no hook '{name}'; HookName lists them all$"):
            mark(name)(alone)

    def test_the_bare_decorator_refuses_a_method_that_is_called_like_no_hook(self) -> None:
        with pytest.raises(HookRegistrationError, match="there is no hook 'with_post'"):
            mark(with_post)

    def test_the_decorated_function_itself_is_returned(self) -> None:
        handler = copy_of(alone)
        assert mark(HookName.OnActivate, timeout=1)(handler) is handler
        handler.__name__ = "OnDeactivate"
        assert mark(handler) is handler


class TestOptions:
    @pytest.mark.parametrize("timeout", [0, -1, 0.0, float("nan"), float("inf"), float("-inf")])
    def test_a_timeout_that_is_no_time_is_refused(self, timeout: float) -> None:
        with pytest.raises(HookRegistrationError, match="timeout of alone must be a positive number of seconds, not"):
            mark("OnActivate", timeout=timeout)(alone)

    def test_a_timeout_in_words_is_refused(self) -> None:
        with pytest.raises(
            HookRegistrationError, match="timeout of alone must be a positive number of seconds, not '5'"
        ):
            mark("OnActivate", timeout="5")(alone)

    @pytest.mark.parametrize("timeout", [1, 0.001, 86400])
    def test_a_timeout_is_kept(self, timeout: float) -> None:
        sample = plugin(start=mark("OnActivate", timeout=timeout)(copy_of(alone)))
        assert sample.hook_handlers[HookName.OnActivate].timeout_s == timeout

    @pytest.mark.parametrize(
        ("name", "on_error", "choices"),
        [
            ("OnActivate", "reject", "'allow' or 'error'"),
            ("MessageWillBePosted", "error", "'allow' or 'reject'"),
            ("MessageHasBeenPosted", "reject", "'allow'"),
            ("ServeHTTP", "allow", "'error'"),
            ("OnActivate", "", "'allow' or 'error'"),
            ("OnActivate", "ERROR", "'allow' or 'error'"),
            ("OnActivate", True, "'allow' or 'error'"),
        ],
    )
    def test_an_on_error_that_the_hook_cannot_answer_is_refused(self, name: str, on_error: str, choices: str) -> None:
        with pytest.raises(HookRegistrationError) as caught:
            mark(name, on_error=on_error)(alone)
        assert str(caught.value) == f"{name} cannot answer on_error={on_error!r}; its replies can say {choices}"
        assert (caught.value.hook, caught.value.handler) == (name, "alone")


class TestSignatures:
    @pytest.mark.parametrize(
        ("handler", "signature"),
        [
            (lambda self: None, "(self)"),
            (lambda self, post: None, "(self, post)"),
            (lambda self, context, post, more: None, "(self, context, post, more)"),
            (lambda self, context, *, post: None, "(self, context, *, post)"),
            (lambda self, context, post, *, more: None, "(self, context, post, *, more)"),
            (lambda self, **arguments: None, "(self, **arguments)"),
        ],
    )
    def test_a_handler_that_cannot_take_the_arguments_is_refused(
        self, handler: Callable[..., object], signature: str
    ) -> None:
        with pytest.raises(HookRegistrationError) as caught:
            plugin(check=mark(HookName.MessageWillBePosted)(handler))
        assert str(caught.value) == (
            f"Sample.check must take (self, context, post) to handle MessageWillBePosted, but takes {signature}"
        )
        assert (caught.value.hook, caught.value.handler) == ("MessageWillBePosted", "Sample.check")

    def test_an_override_that_cannot_take_the_arguments_is_refused(self) -> None:
        with pytest.raises(HookRegistrationError, match=r"^Sample\.on_activate must take \(self\)"):
            plugin(on_activate=with_post)

    @pytest.mark.parametrize(
        "handler",
        [
            lambda *arguments: None,
            lambda self, *arguments: None,
            lambda me, c, p: None,
            lambda self, context, post, more=None, *, most=None: None,
        ],
    )
    def test_a_handler_that_can_take_the_arguments_passes(self, handler: Callable[..., object]) -> None:
        assert plugin(check=mark("MessageWillBePosted")(handler)).implemented_hooks() == ["MessageWillBePosted"]

    def test_a_decorator_of_the_authors_own_may_stand_above_or_below(self) -> None:
        below = plugin(check=mark("MessageWillBePosted")(copy_of(with_post)))
        above = plugin(check=copy_of(mark("MessageWillBePosted")(copy_of(with_post))))
        assert below.implemented_hooks() == above.implemented_hooks() == ["MessageWillBePosted"]

    def test_async_handlers_are_told_from_others(self) -> None:
        async def handler(self: object) -> None: ...

        specs = plugin(on_activate=handler, on_deactivate=alone).hook_handlers
        assert specs[HookName.OnActivate].is_async
        assert not specs[HookName.OnDeactivate].is_async

    def test_generators_are_refused(self) -> None:
        def generator(self: object) -> Iterator[None]:
            yield

        async def async_generator(self: object) -> AsyncIterator[None]:
            yield

        for handler in (generator, async_generator):
            with pytest.raises(HookRegistrationError, match=r"^Sample\.on_activate is a generator; a handler returns"):
                plugin(on_activate=handler)


class TestPlainMethods:
    @pytest.mark.parametrize("kind", [staticmethod, classmethod])
    def test_the_decorator_above_another_kind_of_method_is_refused(self, kind: Callable[..., object]) -> None:
        with pytest.raises(HookRegistrationError, match=f"@hook goes on a plain method; alone is a {kind.__name__}"):
            mark(HookName.OnActivate)(kind(alone))

    @pytest.mark.parametrize("kind", [staticmethod, classmethod])
    def test_the_decorator_below_another_kind_of_method_is_refused(self, kind: Callable[..., object]) -> None:
        with pytest.raises(HookRegistrationError, match=r"Sample\.start must be a plain method"):
            plugin(start=kind(mark(HookName.OnActivate)(copy_of(alone))))

    @pytest.mark.parametrize("value", [staticmethod(alone), classmethod(alone), property(alone), None, 5])
    def test_an_override_that_is_no_method_is_refused(self, value: object) -> None:
        with pytest.raises(HookRegistrationError) as caught:
            plugin(on_activate=value)
        kind = type(value).__name__
        assert str(caught.value) == f"Sample.on_activate must be a plain method to handle OnActivate, not a {kind}"

    @pytest.mark.parametrize("value", [functools.partial(alone), print])
    def test_a_callable_that_does_not_bind_is_refused(self, value: object) -> None:
        with pytest.raises(HookRegistrationError, match=r"Sample\.on_activate must be a plain method"):
            plugin(on_activate=value)


class TestOneHandler:
    @pytest.mark.parametrize(
        ("first", "second"),
        [("start", "begin"), ("on_activate", "start"), ("start", "on_activate"), ("OnActivate", "on_activate")],
    )
    def test_two_handlers_in_one_class_are_refused(self, first: str, second: str) -> None:
        handlers = {
            name: copy_of(alone) if name == "on_activate" else mark("OnActivate")(copy_of(alone))
            for name in (first, second)
        }
        with pytest.raises(HookRegistrationError) as caught:
            plugin(**handlers)
        assert str(caught.value) == f"OnActivate has two handlers in one class: Sample.{first} and Sample.{second}"
        assert (caught.value.hook, caught.value.handler) == ("OnActivate", f"Sample.{second}")

    def test_one_handler_takes_several_hooks(self) -> None:
        class Sample(Plugin):
            @hook(HookName.MessageHasBeenPosted, timeout=1)
            @hook(HookName.MessageHasBeenDeleted)
            def log(self, context: object, post: object) -> None: ...

        assert Sample.implemented_hooks() == ["MessageHasBeenDeleted", "MessageHasBeenPosted"]
        assert Sample.hook_handlers[HookName.MessageHasBeenPosted].timeout_s == 1
        assert Sample.hook_handlers[HookName.MessageHasBeenDeleted].timeout_s is None

    def test_one_handler_must_fit_every_hook_that_it_takes(self) -> None:
        with pytest.raises(HookRegistrationError, match=r"Sample\.log must take \(self\) to handle OnActivate"):
            plugin(log=mark("OnActivate")(mark("MessageHasBeenPosted")(copy_of(with_post))))


class TestLists:
    def test_a_plugin_without_handlers_has_none(self) -> None:
        assert Plugin.implemented_hooks() == []
        assert plugin().hook_handlers == {}

    def test_implemented_hooks_are_sorted(self) -> None:
        names = ["on_deactivate", "on_configuration_change", "on_activate"]
        assert plugin(**dict.fromkeys(names, alone)).implemented_hooks() == [
            "OnActivate",
            "OnConfigurationChange",
            "OnDeactivate",
        ]

    def test_handlers_stand_in_the_order_of_the_hooks(self) -> None:
        sample = plugin(message_has_been_posted=with_post, on_activate=alone)
        assert list(sample.hook_handlers) == [HookName.OnActivate, HookName.MessageHasBeenPosted]

    def test_has_hook_takes_gos_name(self) -> None:
        sample = plugin(on_activate=alone)
        assert sample.has_hook("OnActivate")
        assert sample.has_hook(HookName.OnActivate)
        assert sample().has_hook("OnActivate")
        assert not sample.has_hook("OnDeactivate")
        assert not sample.has_hook("on_activate")
        assert not sample.has_hook("Teapot")
