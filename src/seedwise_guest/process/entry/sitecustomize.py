"""Lets Seedwise into a process: Python imports this module at its start because its folder is on PYTHONPATH.

It takes that folder off `sys.path` again, loads the guest from beside it, and then runs the `sitecustomize` that would
have been found without it.
"""


def _enter():
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != here]
    sys.path_importer_cache.pop(here, None)
    if os.environ.get("SEEDWISE_SPOOL"):
        if "seedwise_guest" not in sys.modules:
            from importlib.util import module_from_spec, spec_from_file_location

            home = os.path.dirname(os.path.dirname(here))
            spec = spec_from_file_location(
                "seedwise_guest", os.path.join(home, "__init__.py"), submodule_search_locations=[home]
            )
            sys.modules["seedwise_guest"] = module_from_spec(spec)
            spec.loader.exec_module(sys.modules["seedwise_guest"])
        from seedwise_guest.process.start import enter

        enter()


def _chain():
    import sys
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is None or spec.loader is None:
        return
    module = module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


_enter()
_chain()
del _enter, _chain
