#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The card_payments example: same seed, same bytes; what it plants; its report; its errors."""
import csv
import pathlib
import subprocess
import sys
import tempfile

program = sys.argv[1]
scratch = tempfile.TemporaryDirectory()
folder = pathlib.Path(scratch.name)


def run(*arguments, code=0):
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    assert done.returncode == code, (arguments, done.returncode, done.stdout)
    return done.stdout


small = ["--customers", 80, "--days", 10, "--test-days", 8, "--fraud-share", 0.05]
for name, seed in (("a", 7), ("b", 7), ("c", 8)):
    run("--out", folder / name, "--seed", seed, *small)
for table in ("train.csv", "test.csv"):
    first, again, other = ((folder / name / table).read_bytes() for name in "abc")
    assert first == again and first != other, table

with open(folder / "a" / "train.csv", encoding="utf-8") as file:
    train = list(csv.DictReader(file))
with open(folder / "a" / "test.csv", encoding="utf-8") as file:
    test = list(csv.DictReader(file))
assert "label" not in train[0] and set(test[0]) - set(train[0]) == {"label", "fraud_kind"}
kinds = {row["fraud_kind"] for row in test}
assert kinds == {"none", "card_testing", "stolen_card", "account_takeover", "cloned_card"}, kinds
assert all((row["fraud_kind"] == "none") == (row["label"] == "0") for row in test)
assert len({row["payment_id"] for row in train + test}) == len(train) + len(test)
assert all(float(row["minutes_since_last"]) >= 0 and 0 <= float(row["hour"]) < 24.01 for row in train + test)

# A detector that is right about every fraud but the cloned cards, at a p-value of 0.005.
with open(folder / "a" / "scored.csv", "w", encoding="utf-8") as file:
    file.write("row,payment_id,score,p_value,is_anomaly\r\n")
    for number, row in enumerate(test, 1):
        caught = row["label"] == "1" and row["fraud_kind"] != "cloned_card"
        file.write(f"{number},{row['payment_id']},1.5,{0.005 if caught else 0.5},{int(caught)}\r\n")
said = {line[:30].strip(): line[30:].replace("%", "").split() for line in run("--report", folder / "a").splitlines()}
assert [float(cell) for cell in said["normal payments"][1:]] == [0, 0, 0], said
assert said["stolen_card"][1:] == ["0", "100", "100"] and said["cloned_card"][1:] == ["0", "0", "0"], said

assert "expected a number" in run("--out", folder / "d", "--customers", "many", code=2)
assert "unknown option --frauds" in run("--frauds", 3, code=2)
assert "cannot read" in run("--report", folder / "c", code=2)
assert "--report DIR" in run("--help")
print(f"{len(train)} and {len(test)} payments")
