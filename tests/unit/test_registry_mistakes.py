"""Methods that look like handlers and are none: refused when the class is made."""

import functools
from collections.abc import Callable
from typing import TypeVar, cast

import pytest

from mattermost_plugin import HookName, HookRegistrationError, Plugin, hook
from mattermost_plugin.hooks import forget_marked
from tests.unit.sample_handlers import alone, copy_of, mark, other, plugin


class TestSpelling:
    @pytest.mark.parametrize("value", [alone, staticmethod(alone), classmethod(alone), functools.partial(alone), print])
    def test_a_method_in_gos_spelling_is_refused_without_the_decorator(self, value: object) -> None:
        with pytest.raises(HookRegistrationError) as caught:
            plugin(MessageWillBePosted=value)
        assert str(caught.value) == (
            "Sample.MessageWillBePosted is called like a hook but handles none: put @hook above it, or call it "
            "message_will_be_posted"
        )
        assert (caught.value.hook, caught.value.handler) == ("MessageWillBePosted", "Sample.MessageWillBePosted")

    def test_one_of_a_mixin_is_refused(self) -> None:
        mixin = type("Mixin", (), {"OnActivate": alone})
        with pytest.raises(HookRegistrationError, match=r"^Sample\.OnActivate is called like a hook"):
            plugin(mixin, Plugin)
        assert plugin(mixin, Plugin, OnActivate=mark(copy_of(alone, "OnActivate"))).implemented_hooks() == [
            "OnActivate"
        ]

    def test_an_override_of_a_decorated_one_handles_the_hook(self) -> None:
        base = plugin(OnActivate=mark("OnActivate")(copy_of(alone)))
        assert plugin(base, OnActivate=other).hook_handlers[HookName.OnActivate].function is other

    @pytest.mark.parametrize("value", [5, "text", HookRegistrationError])
    def test_what_is_no_method_may_have_the_name_of_a_hook(self, value: object) -> None:
        assert plugin(OnActivate=value).implemented_hooks() == []


_Method = TypeVar("_Method", bound=Callable[..., object])


def without_wraps(function: _Method) -> _Method:
    """A decorator that drops what others have left on the function."""

    def bare(*arguments: object) -> object:
        return function(*arguments)

    return cast("_Method", bare)


def with_wraps(function: _Method) -> _Method:
    return cast("_Method", functools.wraps(function)(without_wraps(function)))


class TestLostMarks:
    LOST = (
        r"^Sample\.start has lost its @hook for OnActivate: the decorator above @hook must use functools\.wraps, "
        r"or stand below @hook$"
    )

    def test_a_decorator_without_wraps_above_the_mark_is_refused(self) -> None:
        with pytest.raises(HookRegistrationError, match=self.LOST) as caught:

            class Sample(Plugin):
                @without_wraps
                @hook(HookName.OnActivate)
                def start(self) -> None: ...

        assert (caught.value.hook, caught.value.handler) == ("OnActivate", "Sample.start")

    def test_one_in_a_mixin_is_refused_when_a_plugin_takes_the_mixin(self) -> None:
        class Sample:
            @without_wraps
            @hook(HookName.OnActivate)
            def start(self) -> None: ...

        with pytest.raises(HookRegistrationError, match=self.LOST):
            plugin(Sample, Plugin)

    def test_each_mark_of_a_method_must_arrive(self) -> None:
        with pytest.raises(HookRegistrationError, match=self.LOST):

            class Sample(Plugin):
                @hook(HookName.OnDeactivate)
                @without_wraps
                @hook(HookName.OnActivate)
                def start(self) -> None: ...

    def test_wraps_and_decorators_below_are_fine(self) -> None:
        class Sample(Plugin):
            @with_wraps
            @hook(HookName.OnActivate)
            def start(self) -> None: ...

            @hook(HookName.OnDeactivate)
            @with_wraps
            def stop(self) -> None: ...

        assert Sample.implemented_hooks() == ["OnActivate", "OnDeactivate"]

    def test_a_class_is_not_blamed_for_an_earlier_run_of_its_body(self) -> None:
        def define(*, good: bool) -> type[Plugin]:
            class Sample(Plugin):
                @hook(HookName.OnActivate)
                def start(self) -> None: ...

                if not good:

                    @hook(HookName.OnDeactivate)
                    def stop(self) -> None: ...

                    raise ValueError("the body fails")

            return Sample

        with pytest.raises(ValueError, match="the body fails"):
            define(good=False)
        assert define(good=True).implemented_hooks() == ["OnActivate"]

    def test_two_mixins_of_one_name_have_their_own_marks(self) -> None:
        def mixin() -> type:
            class Mixin:
                @hook(HookName.OnActivate)
                def start(self) -> None: ...

            return Mixin

        first, second = mixin(), mixin()
        assert plugin(first, Plugin).implemented_hooks() == plugin(second, Plugin).implemented_hooks() == ["OnActivate"]

    def test_nothing_is_kept_of_a_class_that_was_made(self) -> None:
        class Sample(Plugin):
            @hook(HookName.OnActivate)
            def start(self) -> None: ...

        assert not forget_marked(Sample.__module__, Sample.__qualname__)
