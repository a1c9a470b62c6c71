"""What satisfies the protocol, and what is said of what does not."""

import inspect

import pytest

from xpcs_bench.backends import BackendProtocol, NumPyBackend, check_backend
from xpcs_bench.backends.checking import backend_problems
from xpcs_bench.backends.protocol import protocol_members

MEMBERS = protocol_members()
PROPERTIES = {"name", "pi", "supports_gpu", "supports_jit", "supports_grad"}


def test_the_protocol_is_as_wide_as_promised():
    assert MEMBERS.keys() > PROPERTIES
    assert len(MEMBERS.keys() - PROPERTIES) >= 62


def test_both_backends_satisfy_it(backend):
    assert isinstance(backend, BackendProtocol)
    check_backend(backend)


def test_a_subclass_elsewhere_need_not_inherit(np_backend):
    class Structural:
        def __getattr__(self, name):
            return getattr(np_backend, name)

    check_backend(Structural())


class Lacking:
    """A NumPy backend without one of its members."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        if name == self._name:
            raise AttributeError(name)
        return getattr(NumPyBackend(), name)


@pytest.mark.parametrize("name", MEMBERS)
def test_each_member_is_needed(name):
    lacking = Lacking(name)
    assert not isinstance(lacking, BackendProtocol)
    with pytest.raises(TypeError, match=rf"- {name} is missing"):
        check_backend(lacking)


def having(**members):
    return type("Made", (NumPyBackend,), members)()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"sin": lambda self: 0}, "must take x as positional argument 1"),
        ({"sin": lambda self, x, y: 0}, "y is required, but not part of the protocol"),
        ({"sum": lambda self, x, axis=0: 0}, "axis must default to None"),
        ({"sum": lambda self, x, /, axes=None: 0}, "must take the keyword axis"),
        ({"digitize": lambda self, x, bins, /: 0}, "must take the keyword right"),
        ({"meshgrid": lambda self, x, *, indexing="xy": 0}, r"any number.*\*xi"),
        (
            {"scan": lambda self, init, func, xs=None, length=None: 0},
            "func must be pos",
        ),
        ({"sin": 3}, "sin must be a method, not 3"),
        ({"pi": "3.14"}, "pi must be a float, not '3.14'"),
        ({"supports_gpu": None}, "supports_gpu must be a bool, not None"),
    ],
)
def test_a_wrong_signature_passes_isinstance_and_not_the_check(members, sentence):
    made = having(**members)
    assert isinstance(made, BackendProtocol)
    assert all(next(iter(members)) in problem for problem in backend_problems(made))
    with pytest.raises(TypeError, match=sentence):
        check_backend(made)


@pytest.mark.parametrize(
    "members",
    [
        {"sin": lambda self, x: 0},
        {"sin": lambda self, value, /: 0},
        {"sin": lambda self, x, extra=None: 0},
        {"sum": lambda self, *args, **kwargs: 0},
        {"sum": lambda self, x, axis=None, keepdims=False: 0},
    ],
)
def test_a_wider_signature_is_fine(members):
    check_backend(having(**members))


def test_every_method_says_what_it_does(backend):
    for name, member in MEMBERS.items():
        assert inspect.getdoc(member), name
        if name not in PROPERTIES:
            assert inspect.getdoc(getattr(backend, name)), name


def test_delegated_methods_show_the_signature_of_the_protocol(backend):
    for name in MEMBERS.keys() - PROPERTIES:
        actual = inspect.signature(getattr(backend, name))
        wanted = inspect.signature(MEMBERS[name])
        assert list(actual.parameters) == list(wanted.parameters)[1:], name
