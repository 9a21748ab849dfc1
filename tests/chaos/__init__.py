"""Chaos: people go about their business while parts of the platform are killed, cut off, slowed, filled up.

    python -m tests.chaos --minutes 20 --seed 1

parts.py    what the platform stands on, each part of it to be hurt and mended
faults.py   what is done to it, in which order
people.py   what people do, and what they were told
checking.py what they were told, against what is there

A person does what people do: tries again, with the same Idempotency-Key, until something was said. What was
said may not be gone, nothing may be done twice, given out that is not there, or left half done.
"""
