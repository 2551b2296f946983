"""Every fault, one by one, on real sockets: what the consumer sees, and that nothing false is told.

`exchange` and `replies` hold the tables, `test_table` what holds for each of their rows; docs/faults.md
is made of them.
"""
