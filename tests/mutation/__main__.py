"""`python -m tests.mutation`: mutate, test, and write the list of what survives."""

from tests.mutation.mutants import LIST, listed, run, write

before, found = set(listed()), run()
write(found)
print(", ".join(f"{count} {status}" for status, count in sorted(found.statuses.items())))
for mark, lines in (("+", set(found.survivors) - before), ("-", before - set(found.survivors))):
    for line in sorted(lines):
        print(mark, line)
print(f"{LIST.name} has {len(found.survivors)} survivors")
