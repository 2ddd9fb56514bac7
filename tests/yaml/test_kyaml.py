"""A file that is written as KYAML (KEP-5295) stays one, with what is inserted."""

import pytest

from hardener.sources.yaml import rewrite

from .cases import Case, all_of, append, drop, insert, put

HEAD = '---\n{\n  kind: "Pod",\n'
LIST = """\
  spec: {
    containers: [{
      name: "a", # front
      ports: [{
        port: 80,
      }],
    }],
  },
}
"""


def spec(more: str) -> str:
    return HEAD + LIST.replace("    }],\n  },\n", more)


KYAML = [
    Case("a text", HEAD + "}\n", put("node", to="x"), HEAD + '  node: "x",\n}\n'),
    Case(
        "a number and a word of YAML",
        HEAD + "}\n",
        put("node", to=[1, True, "no"]),
        HEAD + '  node: [\n    1,\n    true,\n    "no",\n  ],\n}\n',
    ),
    Case(
        "a mapping",
        HEAD + "}\n",
        put("m", to={"a": {"b": "c"}, "e": {}}),
        HEAD + '  m: {\n    a: {\n      b: "c",\n    },\n    e: {},\n  },\n}\n',
    ),
    Case(
        "mappings in a list",
        HEAD + "}\n",
        put("l", to=[{"a": 1}, {"b": 2}]),
        HEAD + "  l: [{\n    a: 1,\n  }, {\n    b: 2,\n  }],\n}\n",
    ),
    Case(
        "an item behind another",
        HEAD + LIST,
        append("spec", "containers", item={"name": "b", "args": ["x"]}),
        spec('    }, {\n      name: "b",\n      args: [\n        "x",\n      ],\n    }],\n  },\n'),
    ),
    Case(
        "a key of an item",
        HEAD + LIST,
        put("spec", "containers", 0, "tty", to=False),
        spec("      tty: false,\n    }],\n  },\n"),
    ),
    Case("a value is replaced", HEAD + "}\n", put("kind", to="Job"), HEAD.replace("Pod", "Job") + "}\n"),
    Case("a key goes", HEAD + '  x: "y",\n}\n', drop("x"), HEAD + "}\n"),
    Case(
        "a scalar before others",
        HEAD + '  l: [\n    "b",\n  ],\n}\n',
        all_of(insert("l", index=0, item="a"), append("l", item="c")),
        HEAD + '  l: [\n    "a",\n    "b",\n    "c",\n  ],\n}\n',
    ),
    Case(
        "a list on one line stays so", HEAD + '  l: ["b"],\n}\n', append("l", item="c"), HEAD + '  l: ["b", "c"],\n}\n'
    ),
    Case("comments behind the end", HEAD + "}\n# end\n", put("node", to="x"), HEAD + '  node: "x",\n}\n# end\n'),
]
OTHERS = [
    Case(
        "without the last comma",
        '{\n  kind: "Pod"\n}\n',
        put("node", to=["x"]),
        '{\n  kind: "Pod",\n  node: [\n    x\n  ]\n}\n',
    ),
    Case(
        "JSON", '{\n  "kind": "Pod"\n}\n', put("node", to=["x"]), '{\n  "kind": "Pod",\n  "node": [\n    "x"\n  ]\n}\n'
    ),
]


@pytest.mark.parametrize("case", [*KYAML, *OTHERS], ids=lambda case: case.name)
def test_what_is_new_is_written_like_the_file(case: Case) -> None:
    assert rewrite(case.before, case.edit).text == case.after
