"""The command line: ``python -m piggycheck.checker CERTIFICATE...``, or ``python FOLDER CERTIFICATE...`` on a copy."""

import sys

if __package__:
    from . import main
else:  # the folder was run: make it a package, under whatever name it has
    from importlib.util import module_from_spec, spec_from_file_location
    from os.path import dirname, join

    spec = spec_from_file_location("checker", join(dirname(__file__), "__init__.py"))
    assert spec is not None and spec.loader is not None
    package = sys.modules["checker"] = module_from_spec(spec)
    spec.loader.exec_module(package)
    main = package.main

sys.exit(main(sys.argv[1:]))
