"""The warm parent: a process that has imported what the first run imported, and forks one child for each seed.

A child must not be able to tell. So the first run, which is a fresh one, records every import (`recording`): whether it
moved a generator, started a thread, opened a device, and in what state of the process (`state`) it began. The parent
imports those that did nothing of the kind, each in the state that was recorded, and a child takes them out of
`sys.modules` again and puts them on a shelf (`shelf`). The script's own import statement hands them out, if the process is
then in the very state in which they were imported; otherwise the child gives up and its seed is run fresh.
"""
