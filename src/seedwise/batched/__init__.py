"""Many seeds as one program: hundreds of small networks trained together, each as if alone."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
