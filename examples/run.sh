#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing (Debian, as root or with sudo), builds the example programs, makes card payments with
# planted frauds, learns from the normal ones, scores the later ones, and prints what was caught, beside rules
# written by hand.
# Everything it writes is under build/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
source tests/support/packages.sh

need_packages g++ cmake ninja-build libeigen3-dev libcli11-dev
cmake --preset programs
cmake --build --preset programs

programs=build/programs/examples
data=build/card_payments
"$programs/card_payments" --out "$data"
"$programs/untoward" fit "$data/train.csv" --model "$data/payments.safetensors" --ignore payment_id
"$programs/untoward" score "$data/test.csv" --model "$data/payments.safetensors" --id payment_id --out "$data/scored.csv"
"$programs/card_payments" --report "$data"
