#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Frauds among real card payments (ULB/Worldline): what `untoward` finds beyond limits to single columns, at as many false alarms.

    benchmarks/cards.py build/untoward --data ../shared/data/tabular/fraud

The folder has train_x.npy (normal payments: V1 to V28, which are principal components of what the bank knew, and Amount), test_x.npy and
test_y.npy (1 = fraud). Nobody can write rules for columns without a meaning; what can be written is a lower and an upper limit to each,
here as wide as leaves the promised share of train_x.npy outside of some. The detector is `untoward fit` without options, its alarms p-values
of at most that share. `moved` is the detector with its threshold moved to the false alarms of the limits, which are known afterwards
only. Prints alarms by rate, and the reasons for the most anomalous frauds within all limits.
Exit status: 0; 1 if a run failed; 2 for bad usage.
"""
import argparse
import csv
import sys
import tempfile
from pathlib import Path

import numpy as np

from classics import call

RATES = (0.005, 0.01, 0.02)
SHOWN = 3  # frauds, and columns to blame


def limits_of(rows, share):
    """Lower and upper limits at equal quantiles of every column, outside of which this share of rows lies in some column."""
    low, high = 0.0, share / 2
    for _ in range(50):
        middle = (low + high) / 2
        limits = np.quantile(rows, [middle, 1 - middle], axis=0)
        if outside(rows, limits).mean() <= share:
            low = middle
        else:
            high = middle
    return np.quantile(rows, [low, 1 - low], axis=0)


def outside(rows, limits):
    return ((rows < limits[0]) | (rows > limits[1])).any(axis=1)


def scored(program, train, test, names, seed, scratch):
    for name, rows in (('train', train), ('test', test)):
        with open(scratch / f'{name}.csv', 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([names, *rows.tolist()])
    call([program, 'fit', scratch / 'train.csv', '--model', scratch / 'model', '--seed', seed, '--quiet'])
    call([program, 'score', scratch / 'test.csv', '--model', scratch / 'model', '--top', SHOWN, '--out', scratch / 'scored.csv'])
    with open(scratch / 'scored.csv', newline='', encoding='utf-8') as file:
        return list(csv.DictReader(file))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/tabular/fraud'), help='its folder (%(default)s)')
    parser.add_argument('--seed', type=int, default=0)
    options = parser.parse_args()
    if not (options.data / 'test_y.npy').is_file():
        parser.error(f'{options.data} has no test_y.npy')
    train, test = (np.load(options.data / name) for name in ('train_x.npy', 'test_x.npy'))
    frauds = np.load(options.data / 'test_y.npy').ravel() == 1
    names = [f'V{i}' for i in range(1, train.shape[1])] + ['Amount']
    with tempfile.TemporaryDirectory(prefix='untoward-cards-') as place:
        said = scored(options.program, train, test, names, options.seed, Path(place))
    scores, p_values = (np.array([float(row[name]) for row in said]) for name in ('score', 'p_value'))

    print(f'{len(train)} normal payments to learn from; {(~frauds).sum()} normal payments and {frauds.sum()} frauds to judge\n')
    print('| rate asked for | limits: false alarms, frauds | detector | moved | only limits | only moved |')
    print('| --- | --- | --- | --- | --- | --- |')
    for rate in RATES:
        by_limits = outside(test, limits_of(train, rate))
        moved = scores > np.sort(scores[~frauds])[::-1][by_limits[~frauds].sum()]
        cells = [f'{alarms[~frauds].sum()}, {alarms[frauds].sum()}'
                 for alarms in (by_limits, p_values <= rate, moved, by_limits & ~moved, moved & ~by_limits)]
        print(f'| {100 * rate:g}% | ' + ' | '.join(cells) + ' |')
        if rate == 0.01:
            beyond = np.flatnonzero(frauds & moved & ~by_limits)
    print('\nThe most anomalous frauds that are within the limits at 1%:')
    for row in beyond[np.argsort(-scores[beyond], kind='stable')][:SHOWN]:
        reasons = [f'{said[row][f"feature_{k}"]} is {float(said[row][f"observed_{k}"]):.4g}, expected '
                   f'{float(said[row][f"expected_{k}"]):.4g}' for k in range(1, SHOWN + 1)]
        print(f'  payment {row + 1} of {test[row, -1]:.2f} euros, p-value {p_values[row]:.5f}: ' + '; '.join(reasons))
    return 0


if __name__ == '__main__':
    sys.exit(main())
