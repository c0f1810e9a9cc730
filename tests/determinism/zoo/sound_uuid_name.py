# cause: none
import random
import tempfile
import uuid

random.seed(0)
name = f"run-{uuid.uuid4().hex}"
with tempfile.NamedTemporaryFile(prefix=name) as file:
    file.write(b"x")
print("acc =", random.random())
