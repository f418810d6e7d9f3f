"""The shapes of schema that the oracle has resources for, and inputs of each, drawn by Hypothesis."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"  # the engine's word for a value not known yet

Values = dict[str, Any]
TEXT = st.sampled_from(["", "a", "b"])
NUMBER = st.sampled_from([0, 1, 10])
TRUTH = st.booleans()
SEVERAL = st.sampled_from([[], ["a"], ["b", "a"], ["a", "b"], ["c"]])
TAGS = st.sampled_from([{}, {"k": "v"}, {"k": "w", "l": "x"}])
DOCUMENTS = st.sampled_from(['{"a":1,"b":2}', '{"b": 2, "a": 1}', '{"a":2}'])
RULE = st.fixed_dictionaries({"port": st.sampled_from([1, 2])}, optional={"target": TEXT, "open": TRUTH})


@dataclass(frozen=True)
class Shape:
    """Inputs that must be given and that may be; what is computed; the libraries that have the shape."""

    required: Values
    optional: Values
    first: Values  # two programs that differ
    second: Values
    computed: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ("sdk", "framework")
    only_sdk: tuple[str, ...] = ()

    def inputs(self, kind: str) -> st.SearchStrategy[Values]:
        optional = {k: v for k, v in self.optional.items() if kind == "sdk" or k not in self.only_sdk}
        return st.fixed_dictionaries(self.required, optional=optional)


SDK = ("sdk",)
LABEL = {"label": st.sampled_from(["a", "b"])}
SHAPES = {
    "required": Shape(
        {"value": st.sampled_from(["a", "b"])}, LABEL, first={"value": "a"}, second={"value": "b"}
    ),
    "optional": Shape(
        {},
        {"value": TEXT, "size": NUMBER, "enabled": TRUTH, **LABEL},
        first={"value": "a", "size": 1},
        second={"value": "b", "enabled": True},
    ),
    "computed": Shape(
        {}, {"value": TEXT, **LABEL}, first={"label": "a"}, second={"value": "b"}, computed=("arn",)
    ),
    "collection": Shape(
        {},
        {"names": SEVERAL, "steps": SEVERAL, "tags": TAGS, **LABEL},
        first={"names": ["a"], "tags": {"k": "v"}},
        second={"names": ["b", "a"], "steps": ["a"]},
    ),
    "filling": Shape({}, {"flows": SEVERAL, **LABEL}, first={"flows": ["a"]}, second={"flows": ["b"]}),
    "nested": Shape(
        {},
        {
            "rules": st.lists(RULE, max_size=2),
            "members": st.lists(RULE, max_size=1),
            "setting": RULE,
            **LABEL,
        },
        first={"rules": [{"port": 1}]},
        second={"rules": [{"port": 2, "target": "a"}], "members": [{"port": 1}]},
        only_sdk=("setting",),
    ),
    "default": Shape(
        {},
        {"mode": st.sampled_from(["standard", "x"]), "size": NUMBER, "enabled": TRUTH, **LABEL},
        first={},
        second={"mode": "x", "size": 0},
    ),
    "replacing": Shape(
        {"value": st.sampled_from(["a", "b"])},
        {"extra": TEXT, **LABEL},
        first={"value": "a"},
        second={"value": "b", "label": "a"},
    ),
    "named": Shape(
        {},
        {"name": st.sampled_from(["n", "m"]), "value": TEXT, **LABEL},
        first={"value": "a"},
        second={"name": "n", "value": "b"},
        kinds=SDK,
    ),
    "sensitive": Shape({}, {"secret": TEXT, **LABEL}, first={"secret": "a"}, second={"secret": "b"}),
    "writeOnly": Shape(
        {},
        {"password": TEXT, "passwordVersion": NUMBER, **LABEL},
        first={"password": "a", "passwordVersion": 1},
        second={"password": "b", "passwordVersion": 10},
        kinds=SDK,
    ),
    "document": Shape(
        {"policy": DOCUMENTS}, LABEL, first={"policy": '{"a":1}'}, second={"policy": '{"a":2}'}, kinds=SDK
    ),
    "invocation": Shape(
        {"input": st.sampled_from(["a", "b", "c"])},
        {},
        first={"input": "a"},
        second={"input": "b"},
        computed=("result",),
        kinds=SDK,
    ),
}
EVERY = [(kind, name) for name, shape in SHAPES.items() for kind in shape.kinds]


def token(kind: str, name: str) -> str:
    return f"oracle:{kind}/{name}:{name[0].upper()}{name[1:]}"


def described_inputs() -> dict[str, dict[str, list[str]]]:
    """What `sandbox/aws/sdk_inputs.json` says of AWS's types, of the oracle's."""
    return {
        token(kind, name): {
            "inputs": sorted(
                {*shape.required, *shape.optional} - set(shape.only_sdk if kind == "framework" else ())
            ),
            "required": sorted(shape.required),
            "computed": sorted(shape.computed),
        }
        for kind, name in EVERY
        for shape in [SHAPES[name]]
    }
