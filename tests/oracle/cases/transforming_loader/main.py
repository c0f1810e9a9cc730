import importlib.machinery
import sys


class Loud(importlib.machinery.SourceFileLoader):
    """A loader of the user's own: what the text says quietly becomes loud."""

    def source_to_code(self, data, path, *, _optimize=-1):
        return super().source_to_code(data.replace(b"quiet", b"loud"), path)


class Finder(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target)
        if spec is not None and name == "helper":
            spec.loader = Loud(name, spec.origin)
        return spec


sys.meta_path.insert(0, Finder)
import helper

print(helper.said, helper.draw())
