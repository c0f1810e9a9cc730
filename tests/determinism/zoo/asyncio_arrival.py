# cause: completion order
import asyncio
import sys

arrived = []


async def fetch(k):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-S", "-c", "import time; time.sleep(time.time_ns() % 9 / 50)"
    )
    await process.wait()
    arrived.append(k)


async def main():
    await asyncio.gather(*(fetch(k) for k in range(4)))  # HERE


asyncio.run(main())
print("arrived", arrived)
