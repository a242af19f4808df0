#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Faults of a water rig, SKAB: `untoward` learns the first 400 rows of each experiment and judges the rest, beside what is classic.

    benchmarks/rig.py build/untoward --data ../shared/data/skab

An experiment is a file <kind>/<number>.csv of 8 sensors, once a second, with the column `anomaly`; every row is judged alone. Prints the
means over experiments and seeds of the area under the ROC curve and the average precision, and the shares of normal and of
anomalous rows above the threshold that was promised for --false-alarm-rate: a rig warms up, so it need not keep the promise.
classics.py says what the other methods get. Needs scikit-learn.
Exit status: 0; 1 if a run failed or methods that both have do not agree; 2 for bad usage.
"""
import argparse
import csv
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import classics

NORMAL_ROWS = 400


def read(path):
    with open(path, newline='', encoding='utf-8') as file:
        header, *rows = csv.reader(file, delimiter=';')
    sensors = [place for place, name in enumerate(header) if name not in ('datetime', 'anomaly', 'changepoint')]
    values = np.array([[float(row[place]) for place in sensors] for row in rows])
    return values, np.array([float(row[header.index('anomaly')]) for row in rows]).astype(int)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/skab'), help='its folder (%(default)s)')
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in text.split(',')], default=[1], metavar='A,B,..',
                        help='1 by default')
    parser.add_argument('--false-alarm-rate', type=float, default=0.01, help='%(default)s')
    options = parser.parse_args()
    if not shutil.which(options.program):
        parser.error(f'{options.program} is not a program')
    files = sorted(options.data.glob('*/*.csv'))
    if not files:
        parser.error(f'{options.data} has no <kind>/<number>.csv')

    runs, faults = [], 0
    with tempfile.TemporaryDirectory(prefix='untoward-rig-') as place:
        scratch = Path(place)
        split = classics.Split(scratch)
        for seed in options.seeds:
            for file in files:
                values, labels = read(file)
                train, test, truth = values[:NORMAL_ROWS], values[NORMAL_ROWS:], labels[NORMAL_ROWS:]
                faults += int(labels[:NORMAL_ROWS].sum())
                for name, rows in (('train', train), ('test', test), ('truth', truth)):
                    np.save(scratch / f'{name}.npy', rows.astype(np.int32 if name == 'truth' else np.float32))
                runs.append(classics.untoward(options.program, scratch / 'train.npy', scratch / 'test.npy',
                                              ['--labels', scratch / 'truth.npy'], options.false_alarm_rate, seed, scratch))
                runs[-1].update(classics.classics(options.program, split, train, test, truth, options.false_alarm_rate, seed, scratch))
    print(f'{len(files)} experiments; rows to learn from that are labelled anomalous: {faults}\n')
    return classics.report(runs)[0]


if __name__ == '__main__':
    sys.exit(main())
