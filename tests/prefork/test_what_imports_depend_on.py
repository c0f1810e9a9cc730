"""Small libraries whose import depends on, or changes, something that nobody can list: a forked run prints what a fresh one prints.

Each case is a script with the libraries `liba` and `libb`. Between their imports the script does something that the second one notices.
"""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from .both_ways import hold_both_ways

Script = Callable[..., list[str]]
FLAG = "flag = False\nhooks = []\ntable = {}\ndef enable():\n    global flag\n    flag = True\ndef value():\n    return 1\nclass Base:\n    known = []\n    def __init_subclass__(cls):\n        Base.known.append(cls.__name__)\n"

CASES: dict[str, tuple[str, str]] = {
    # what the script does between the two imports, and what libb looks at while it is imported
    "a flag": ("liba.enable()", "import liba\nseen = liba.flag"),
    "a flag set by assignment": ("liba.flag = 7", "from liba import flag as seen"),
    "a patched function": ("liba.value = lambda: 2", "import liba\nseen = liba.value()"),
    "a patched class": ("liba.Base = type('Mine', (), {'known': 5})", "import liba\nseen = liba.Base.known"),
    "a patched method": ("liba.Base.__repr__ = lambda self: 'mine'", "import liba\nseen = repr(liba.Base())"),
    "a registry": ("liba.table['x'] = 3", "import liba\nseen = sorted(liba.table)"),
    "a list of hooks": ("liba.hooks.append(len)", "import liba\nseen = len(liba.hooks)"),
    "a subclass": ("class Mine(liba.Base): pass", "import liba\nseen = liba.Base.known"),
    "an abstract base": (
        "import collections.abc\nclass Thing: pass\ncollections.abc.Sized.register(Thing)",
        "import collections.abc\nseen = len(collections.abc.Sized.__subclasses__()) >= 0 and issubclass(__import__('__main__').Thing, collections.abc.Sized)",
    ),
    "a single dispatch": (
        "import functools\n@functools.singledispatch\ndef f(x): return 'any'\n@f.register\ndef _(x: int): return 'int'\nliba.f = f",
        "import liba\nseen = liba.f(3)",
    ),
    "copyreg": (
        "import copyreg\nclass P: pass\ncopyreg.pickle(P, lambda p: (P, ()))",
        "import copyreg\nseen = len([k for k in copyreg.dispatch_table if k.__name__ == 'P'])",
    ),
    "a mock in a module's place": (
        "import sys, types\nsys.modules['libc'] = types.SimpleNamespace(value=9)",
        "import libc\nseen = libc.value",
    ),
    "a module that is forbidden": (
        "import sys\nsys.modules['libc'] = None",
        "try:\n    import libc\n    seen = 'there'\nexcept ImportError:\n    seen = 'forbidden'",
    ),
    "a module taken out": (
        "import sys\ndel sys.modules['liba']",
        "import liba\nliba.table['again'] = 1\nseen = liba.flag",
    ),
    "a module replaced by a part": ("import sys\nsys.modules['liba'].extra = 1", "import liba\nseen = liba.extra"),
    "a context variable": (
        "import contextvars\nliba.var = contextvars.ContextVar('v', default=0)\nliba.var.set(5)",
        "import liba\nseen = liba.var.get()",
    ),
    "builtins": ("import builtins\nbuiltins.shout = str.upper", "seen = shout('x')"),
    "print patched": (
        "import builtins\nold = print\nbuiltins.print = lambda *a, **k: old('>', *a, **k)",
        "print('hello')\nseen = 1",
    ),
    "open patched": (
        "import builtins\nreal = open\nbuiltins.open = lambda *a, **k: real(*a, **k)",
        "seen = open.__name__",
    ),
    "an import hook": (
        "import builtins\nimp = builtins.__import__\ncount = []\nbuiltins.__import__ = lambda *a, **k: (count.append(1), imp(*a, **k))[1]",
        "import colorsys\nimport __main__\nseen = len(__main__.count) > 0",
    ),
    "a file that exists": (
        "import os\nhere = os.path.exists('data.txt')",
        "import os\nseen = os.path.exists('data.txt')",
    ),
    "a folder that is listed": (
        "import os\nnames = os.listdir('.')",
        "import os\nseen = sorted(n for n in os.listdir('.') if n != '.seedwise')",
    ),
    "a file that is read": ("text = open('data.txt').read()", "seen = open('data.txt').read()"),
    "a file read half": (
        "file = open('data.txt')\nfirst = file.read(2)",
        "import __main__\nseen = __main__.file.read(2)",
    ),
    "a file that is removed": ("import os\nos.remove('data.txt')", "import os\nseen = os.path.exists('data.txt')"),
    "a file that is replaced": (
        "open('new.txt', 'w').write('new')\nimport os\nos.replace('new.txt', 'data.txt')",
        "seen = open('data.txt').read()",
    ),
    "a file that is written": ("open('more.txt', 'w').write('more')", "seen = open('more.txt').read()"),
    "a file that is appended to": (
        "with open('data.txt', 'a') as f:\n    f.write('!')",
        "seen = open('data.txt').read()",
    ),
    "a file written by a program": (
        "import subprocess\nsubprocess.run('echo hi > sub.txt', shell=True, check=True)",
        "seen = open('sub.txt').read()",
    ),
    "a folder that is made": (
        "import os\nos.makedirs('made/below', exist_ok=True)",
        "import os\nseen = os.path.isdir('made/below')",
    ),
    "another working folder": (
        "import os\nos.chdir('sub')",
        "import os\nseen = os.path.basename(os.getcwd()), os.listdir('.')",
    ),
    "__main__ without a file": ("del __file__", "import __main__\nseen = hasattr(__main__, '__file__')"),
    "__main__'s globals": ("MODE = 'fast'", "import __main__\nseen = __main__.MODE"),
    "__main__'s name": ("pass", "import __main__\nseen = __main__.__name__, __main__.__spec__, __main__.__doc__"),
    "an attribute of the standard library": ("import json\njson.mine = 4", "import json\nseen = json.mine"),
    "a function of the standard library": ("import math\nmath.sqrt = lambda x: -1", "import math\nseen = math.sqrt(4)"),
    "a default of the standard library": (
        "import json\njson.encoder.c_make_encoder = None",
        "import json\nseen = json.dumps({'a': [1, 2]})",
    ),
    "the start method": (
        "import multiprocessing as mp\nmp.set_start_method('spawn')",
        "import multiprocessing as mp\nseen = mp.get_start_method()",
    ),
    "the umask": ("import os\nos.umask(0o077)", "import os\nold = os.umask(0)\nos.umask(old)\nseen = oct(old)"),
    "the locale": (
        "import locale\nlocale.setlocale(locale.LC_ALL, 'C')",
        "import locale\nseen = locale.setlocale(locale.LC_ALL)",
    ),
    "the decimal context": (
        "import decimal\ndecimal.getcontext().prec = 5",
        "import decimal\nseen = decimal.Decimal(1) / 3",
    ),
    "a limit": (
        "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))",
        "import resource\nseen = resource.getrlimit(resource.RLIMIT_CORE)",
    ),
    "the recursion limit": ("import sys\nsys.setrecursionlimit(5000)", "import sys\nseen = sys.getrecursionlimit()"),
    "the limit of digits": (
        "import sys\nsys.set_int_max_str_digits(9000)",
        "import sys\nseen = sys.get_int_max_str_digits()",
    ),
    "the switch interval": ("import sys\nsys.setswitchinterval(0.5)", "import sys\nseen = sys.getswitchinterval()"),
    "a socket timeout": (
        "import socket\nsocket.setdefaulttimeout(7)",
        "import socket\nseen = socket.getdefaulttimeout()",
    ),
    "putenv in C": (
        "import ctypes\nctypes.CDLL(None).setenv(b'FROM_C', b'yes', 1)",
        "import ctypes\nget = ctypes.CDLL(None).getenv\nget.restype = ctypes.c_char_p\nseen = get(b'FROM_C')",
    ),
    "a variable": ("import os\nos.environ['MODE'] = 'fast'", "import os\nseen = os.environ['MODE']"),
    "a variable taken out": ("import os\nos.environ.pop('HOME', None)", "import os\nseen = os.environ.get('HOME')"),
    "TMPDIR": (
        "import os, tempfile\nos.environ['TMPDIR'] = os.getcwd()\ntempfile.tempdir = None",
        "import tempfile, os\nseen = tempfile.gettempdir() == os.getcwd()",
    ),
    "a logging level": (
        "import logging\nlogging.getLogger().setLevel(5)",
        "import logging\nseen = logging.getLogger('x').getEffectiveLevel()",
    ),
    "logging disabled": (
        "import logging\nlogging.disable(40)",
        "import logging\nseen = logging.getLogger('x').isEnabledFor(30)",
    ),
    "a logging handler": (
        "import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(message)s', level=10)",
        "import logging\nlogging.warning('said')\nseen = len(logging.root.handlers)",
    ),
    "a logger class": (
        "import logging\nclass L(logging.Logger): pass\nlogging.setLoggerClass(L)",
        "import logging\nseen = type(logging.getLogger('new')).__name__",
    ),
    "captured output": (
        "import io, sys\nsys.stdout = io.StringIO()",
        "import sys\nprint('caught')\nseen = sys.stdout.getvalue()\nsys.stdout = sys.__stdout__",
    ),
    "a display hook": (
        "import sys\nsys.displayhook = lambda v: None",
        "import sys\nseen = sys.displayhook is sys.__displayhook__",
    ),
    "an exception hook": (
        "import sys\nsys.excepthook = lambda *a: print('caught', a[1])",
        "import sys\nseen = sys.excepthook is sys.__excepthook__",
    ),
    "a finder on meta_path": (
        "import sys, importlib.machinery as m, types\nclass F:\n    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'made_up': return m.ModuleSpec(name, self)\n    def create_module(self, spec): return types.ModuleType('made_up')\n"
        "    def exec_module(self, module): module.value = 8\nsys.meta_path.insert(0, F())",
        "import made_up\nseen = made_up.value",
    ),
    "the search path": ("import sys\nsys.path.insert(0, 'sub')", "import inner\nseen = inner.value"),
    "gc.get_objects": (
        "class Marked: pass\nmarked = [Marked() for _ in range(3)]",
        "import gc\nseen = sum(type(o).__name__ == 'Marked' for o in gc.get_objects())",
    ),
    "gc switched off": ("import gc\ngc.disable()", "import gc\nseen = gc.isenabled()"),
    "gc thresholds": ("import gc\ngc.set_threshold(9, 8, 7)", "import gc\nseen = gc.get_threshold()"),
    "gc callbacks": ("import gc\ngc.callbacks.append(lambda *a: None)", "import gc\nseen = len(gc.callbacks)"),
    "at-exit order": (
        "import atexit\natexit.register(print, 'first')",
        "import atexit\natexit.register(print, 'second')\nseen = 1",
    ),
    "a cache": (
        "import functools\n@functools.lru_cache\ndef f(x): return object()\nliba.f, liba.kept = f, f(1)",
        "import liba\nseen = liba.f(1) is liba.kept, liba.f.cache_info()",
    ),
    "a weak reference": (
        "import weakref\nclass W: pass\nw = W()\nliba.ref = weakref.ref(w)",
        "import liba\nseen = liba.ref() is not None",
    ),
    "a weak reference that is gone": (
        "import weakref\nclass W: pass\nliba.ref = weakref.ref(W())",
        "import liba\nseen = liba.ref() is None",
    ),
    "a generator object": ("liba.gen = iter(range(5))\nnext(liba.gen)", "import liba\nseen = next(liba.gen)"),
    "a thread": (
        "import threading\nt = threading.Thread(target=liba.enable)\nt.start()\nt.join()",
        "import liba, threading\nseen = liba.flag, threading.active_count()",
    ),
    "a thread that stays": (
        "import threading\nstop = threading.Event()\nthreading.Thread(target=stop.wait, daemon=True).start()",
        "import threading\nseen = threading.active_count()",
    ),
    "a lock that is held": (
        "import threading\nlock = threading.Lock()\nlock.acquire()",
        "import __main__\nseen = __main__.lock.locked()",
    ),
    "warning filters": (
        "import warnings\nwarnings.simplefilter('error')",
        "import warnings\ntry:\n    warnings.warn('x')\n    seen = 'warned'\nexcept UserWarning:\n    seen = 'raised'",
    ),
    "a signal handler": (
        "import signal\nsignal.signal(signal.SIGUSR1, signal.SIG_IGN)",
        "import signal\nseen = signal.getsignal(signal.SIGUSR1)",
    ),
    "a timer": (
        "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.setitimer(signal.ITIMER_REAL, 100)",
        "import signal\nseen = signal.getitimer(signal.ITIMER_REAL)[0] > 0",
    ),
    "numpy's print options": (
        "import numpy as np\nnp.set_printoptions(precision=2)",
        "import numpy as np\nseen = str(np.array([1 / 3]))",
    ),
    "numpy's errors": (
        "import numpy as np\nnp.seterr(all='raise')",
        "import numpy as np\nseen = sorted(np.geterr().items())",
    ),
    "pandas options": (
        "import pandas as pd\npd.set_option('display.precision', 2)",
        "import pandas as pd\nseen = pd.get_option('display.precision')",
    ),
    "the clock": (
        "import time\nbegan = time.time()",
        "import __main__, time\nseen = time.time() - __main__.began < 0.05",
    ),
    "the number of the process": (
        "import os\npid = os.getpid()",
        "import __main__, os\nseen = __main__.pid == os.getpid()",
    ),
    "a temporary folder": (
        "import tempfile\nfolder = tempfile.mkdtemp()",
        "import __main__, os\nseen = os.path.isdir(__main__.folder)",
    ),
    "the seed's variable": (
        "import os\ns = os.environ.get('SEEDWISE_SEED', '5')",
        "import __main__\nseen = __main__.s",
    ),
    "descriptors": (
        "import os\nfd = os.open('data.txt', os.O_RDONLY)",
        "import os, __main__\nseen = os.read(__main__.fd, 3)",
    ),
    "sockets": (
        "import socket\na, b = socket.socketpair()\na.send(b'x')",
        "import __main__\nseen = __main__.b.recv(1)",
    ),
}


def write(folder: Path, monkeypatch: pytest.MonkeyPatch, libb: str) -> None:
    site = folder / "site-packages"
    site.mkdir()
    (site / "liba.py").write_text(FLAG)
    (site / "libb.py").write_text(libb)
    (site / "libc.py").write_text("value = 1\n")
    Path("data.txt").write_text("some data")
    Path("sub").mkdir()
    Path("sub/inner.py").write_text("value = 6\n")
    monkeypatch.setenv("PYTHONPATH", str(site))


SOME = [*CASES][::8]


@pytest.mark.parametrize("name", [n if n in SOME else pytest.param(n, marks=pytest.mark.slow) for n in CASES])
def test_a_forked_run_prints_what_a_fresh_one_prints(
    name: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    between, libb = CASES[name]
    write(tmp_path, monkeypatch, libb)
    text = f"import liba\n{textwrap.dedent(between)}\nimport libb\nimport random\nSEED = 42\nrandom.seed(SEED)\nprint('seen', libb.seen)\nprint('acc =', random.random())\n"
    hold_both_ways(script(text), forked, (1, 2, 3))
    assert forked
