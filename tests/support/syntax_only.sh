#!/bin/sh
# SPDX-License-Identifier: MIT
# A compiler launcher for tests whose code another build generates and runs: the compiler reads everything, instantiates
# everything and warns of everything, and the object is an empty file.
"$@" -fsyntax-only || exit
while [ $# -gt 1 ]; do
    [ "$1" = -o ] && : >"$2"
    shift
done
