"""``python -m hardener``.

``python -m`` looks for modules in the folder that it is started in, which may be a checkout of anybody. What was loaded
before this line may come from there already: there start ``harden``, or ``python -P -m hardener``.
"""

import sys
from os import getcwd, path

if not sys.flags.safe_path and sys.path[:1] == [getcwd()] != [path.dirname(path.dirname(path.abspath(__file__)))]:
    del sys.path[0]

from hardener.cli import main

main()
