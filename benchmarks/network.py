#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Intrusions into a network, NSL-KDD: `untoward` learns normal connections and meets attacks, beside what is classic.

    benchmarks/network.py build/untoward --data ../shared/data/network_nslkdd --min-auc 0.955

Fits train_normal.csv and evaluates test.csv by its column `label` (its column `attack`, the kind of attack, is no feature: the model has
never seen it). Prints the means over the seeds of the area under the ROC curve and the average precision, and the shares of normal
connections and of attacks above the threshold that was promised for --false-alarm-rate: test traffic differs from training traffic,
so it need not keep the promise. classics.py says what the other methods get. Needs scikit-learn.
Exit status: 0; 1 if a run failed, if the mean auc_roc of the default is below --min-auc, or if methods that both have do not agree; 2
for bad usage.
"""
import argparse
import shlex
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

import classics


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/network_nslkdd'), help='its folder (%(default)s)')
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in text.split(',')], default=[1, 2, 3], metavar='A,B,..',
                        help='1,2,3 by default')
    parser.add_argument('--false-alarm-rate', type=float, default=0.01, help='%(default)s')
    parser.add_argument('--args', type=shlex.split, default=[], help="more arguments for the default's fit, as in --args='--epochs 50'")
    parser.add_argument('--min-auc', type=float, default=0.0, help='lowest mean auc_roc of the default that passes')
    options = parser.parse_args()
    if not shutil.which(options.program):
        parser.error(f'{options.program} is not a program')
    train, test = options.data / 'train_normal.csv', options.data / 'test.csv'
    for file in (train, test):
        if not file.is_file():
            parser.error(f'{file} is not there')

    cells = classics.read_csv(test)
    labels = np.array(cells['label'], dtype=int)
    coded = classics.coded(classics.read_csv(train), cells)
    runs = []
    with tempfile.TemporaryDirectory(prefix='untoward-network-') as place:
        split = classics.Split(Path(place))
        for seed in options.seeds:
            runs.append(classics.untoward(options.program, train, test, ['--label', 'label'], options.false_alarm_rate, seed, Path(place),
                                          options.args))
            runs[-1].update(classics.classics(options.program, split, *coded, labels, options.false_alarm_rate, seed, Path(place)))
    failed, means = classics.report(runs)
    if not means['untoward'][0] >= options.min_auc:
        print(f'FAILED mean auc_roc {means["untoward"][0]:.4f} < {options.min_auc}')
        failed = 1
    return failed


if __name__ == '__main__':
    sys.exit(main())
