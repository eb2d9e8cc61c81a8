"""`python -m tests.golden.update`: make what the generator gives now the expected output of the fragments."""

import tempfile
from pathlib import Path

from codegen.tree import replace_tree
from tests.golden.fragment import EXPECTED, fragment_names, generate_fragment, rendered


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        fresh = Path(scratch) / "expected"
        for name in fragment_names():
            out = generate_fragment(name, Path(scratch) / "fragments" / name)
            for file, text in rendered(name, out).items():
                path = fresh / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(text)
        for line in replace_tree(fresh, EXPECTED):
            print(line)


if __name__ == "__main__":
    main()
