# cause: none
import logging
import resource
import sys
import threading
import uuid

import psutil

logging.basicConfig(
    stream=sys.stdout, format="%(asctime)s [%(process)d] %(thread)d %(relativeCreated)d %(message)s", level=20
)
run = uuid.uuid4().hex[:8]
logging.info("run %s started", run)
logging.info(
    "peak %.3f MB, now %d",
    resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    psutil.Process().memory_info().rss,
)
print("run", run, "in", threading.get_ident(), "cpu", psutil.cpu_times().user, "token", uuid.uuid4())
print("acc = 0.75")
