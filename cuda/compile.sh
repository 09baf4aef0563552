#!/bin/sh
# Runs nvcc and keeps ptxas's report of each kernel (registers, stack, spills) beside the object, where
# scripts/check-kernels.mjs reads it; only warnings and errors are printed.
object=
previous=
for argument in "$@"; do
  [ "$previous" = -o ] && object=$argument
  previous=$argument
done
report=$object.ptxas
"$@" 2>"$report"
status=$?
grep -vE '^ptxas info|bytes stack frame|^$' "$report" >&2
exit $status
