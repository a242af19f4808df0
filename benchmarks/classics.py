# SPDX-License-Identifier: MIT
"""`untoward` and the classics on the same rows, for network.py and rig.py.

`untoward fit` sets rows aside for calibration, by the seed; the library's own `calibration_split` says which, so scikit-learn's methods
learn from the same rows and get their thresholds from the same others. For these, and for our own neighbours and mixtures, rows are
coded and standardised here, once; the default takes the table as it is.
"""
import csv
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors

SHOWN = ('auc_roc', 'auc_pr', 'false_alarm_rate', 'recall')
# Those that both have, and must agree in: EM with several components depends on where it starts, one component does not.
SAME = (('nearest neighbours: untoward', 'nearest neighbours: scikit-learn'),
        ('one Gaussian: untoward', 'one Gaussian: scikit-learn'))
AGREEMENT = 1e-3


def call(command):
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f'FAILED {shlex.join(map(str, command))}\n  exit status {done.returncode}: {done.stderr.strip()[-2000:]}')
    return done.stdout


def figures_of(program, model, table, label):
    """What `untoward evaluate` says; `label` is its option that names the truth."""
    said = json.loads(call([program, 'evaluate', table, '--model', model, *label, '--json']))
    return [float(said[name]) for name in SHOWN]


def untoward(program, train, test, label, rate, seed, scratch, arguments=()):
    """{method: figures} of the default, for which there may be more arguments, and of --fast."""
    results, model = {}, scratch / 'model.safetensors'
    for name, more in (('untoward', arguments), ('untoward --fast', ['--fast'])):
        call([program, 'fit', train, '--model', model, '--quiet', '--seed', seed, '--false-alarm-rate', rate, *more])
        results[name] = figures_of(program, model, test, label)
    return results


# --- what scikit-learn needs ------------------------------------------------------------------------------------------


def read_csv(path):
    with open(path, newline='', encoding='utf-8') as file:
        header, *rows = csv.reader(file)
    return {name: [row[place] for row in rows] for place, name in enumerate(header)}


def coded(train, test):
    """Two tables as matrices, rows x features, by the rule of io/column_coding.hpp: texts one-hot with a place for new ones, and
    log(1 + x) for numbers that are never negative, exceed 20 and have a skewness over 5."""
    parts = []
    for name, cells in train.items():
        try:
            both = [np.array(column, dtype=np.float64)[:, None] for column in (cells, test[name])]
            values = both[0]
            deviation = values - values.mean()
            if values.min() >= 0 and values.max() > 20 and (deviation**3).mean() > 5 * (deviation**2).mean()**1.5:
                both = [np.log1p(np.maximum(column, 0)) for column in both]
        except ValueError:
            levels = sorted(set(cells))
            place = {level: i for i, level in enumerate(levels)}
            both = [np.eye(len(levels) + 1)[[place.get(cell, len(levels)) for cell in column]] for column in (cells, test[name])]
        parts.append(both)
    return [np.hstack([both[side] for both in parts]) for side in (0, 1)]


def moments(rows):
    """Mean and deviation of features; one that is constant keeps its unit."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    return mean, np.where(deviation > 1e-12 * np.maximum(1, np.abs(mean)), deviation, 1)


def mixture(rows, most, seed):
    """Of 1, 2, 4, .. components those with the lowest BIC, all of them tried; statistics/expectation_maximisation.hpp stops when two
    in a row make it worse."""
    shape = 'full' if rows.shape[1] <= 100 and len(rows) >= 5 * rows.shape[1] else 'diag'
    found = [GaussianMixture(2**i, covariance_type=shape, reg_covar=1e-3, random_state=seed).fit(rows)
             for i in range(10) if 2**i <= most and (i == 0 or len(rows) >= 20 * 2**i)]
    best = min(found, key=lambda one: one.bic(rows))
    return lambda x: -best.score_samples(x)


def neighbours(rows, _seed):
    index = NearestNeighbors(n_neighbors=5).fit(rows)
    return lambda x: index.kneighbors(x)[0][:, -1]


def forest(rows, seed):
    trees = IsolationForest(random_state=seed).fit(rows)
    return lambda x: -trees.score_samples(x)


PEERS = {
    'nearest neighbours: scikit-learn': neighbours,
    'one Gaussian: scikit-learn': lambda rows, seed: mixture(rows, 1, seed),
    'Gaussian mixture: scikit-learn': lambda rows, seed: mixture(rows, 8, seed),
    'isolation forest: scikit-learn': forest,
}
OURS = {
    'nearest neighbours: untoward': 'neighbour-score{most_rows=1000000}',
    'one Gaussian: untoward': 'mixture-score{most_components=1}',
    'Gaussian mixture: untoward': 'mixture-score',
}


class Split:
    """Which of n normal rows calibrate, and which are learned from, as the library has it: compiled once, at -O0."""

    SOURCE = '''#include <cstdio>
#include <cstdlib>
#include <untoward/train/fit.hpp>
int main(int, char** arguments) {
    const untoward::Conformal threshold{.false_alarm_rate = std::atof(arguments[2])};
    const auto split = untoward::calibration_split(threshold, std::atol(arguments[1]), std::strtoull(arguments[3], nullptr, 10));
    for (const auto* rows : {&split.calibration, &split.rest}) {
        for (const auto row : *rows) std::printf("%ld ", static_cast<long>(row));
        std::printf("\\n");
    }
}
'''

    def __init__(self, scratch):
        self.program = scratch / 'split'
        (scratch / 'split.cpp').write_text(self.SOURCE, encoding='utf-8')
        eigen = os.environ.get('EIGEN_INCLUDE', '/usr/include/eigen3')
        include = Path(__file__).resolve().parents[1] / 'include'
        call(['g++', '-std=c++20', '-O0', '-I', include, '-isystem', eigen, scratch / 'split.cpp', '-o', self.program])

    def __call__(self, count, rate, seed):
        return [np.array(line.split(), dtype=int) for line in call([self.program, count, rate, seed]).splitlines()]


def decided(labels, scores, calibration, rate):
    """The figures of scores, alarms where the conformal p-value is at most `rate`."""
    above = len(calibration) - np.searchsorted(np.sort(calibration), scores, side='left')
    alarms = (above + 1) / (len(calibration) + 1) <= rate
    return [roc_auc_score(labels, scores), average_precision_score(labels, scores), alarms[labels == 0].mean(), alarms[labels == 1].mean()]


def classics(program, split, train, test, labels, rate, seed, scratch):
    """{method: figures} of normal rows and test rows, matrices of features that are not scaled yet."""
    calibration, rest = split(len(train), rate, seed)
    mean, deviation = moments(train[rest])
    train, test = (((rows - mean) / deviation).astype(np.float32) for rows in (train, test))  # which is what `untoward` reads
    # Of many rows `untoward fit` keeps a tenth for choosing the best step of training; neighbours have no steps, and store these too.
    learned = rest[len(rest) // 10:] if len(rest) >= 2000 else rest
    results = {}
    for name, fit in PEERS.items():
        score = fit(train[rest if fit is neighbours else learned].astype(np.float64), seed)
        results[name] = decided(labels, score(test.astype(np.float64)), score(train[calibration].astype(np.float64)), rate)
    files = {}
    for name, values in (('train', train), ('test', test), ('labels', labels.astype(np.int32))):
        files[name] = scratch / f'standardised-{name}.npy'
        np.save(files[name], values)
    model = scratch / 'classic.safetensors'
    for name, score in OURS.items():
        call([program, 'fit', files['train'], '--model', model, '--quiet', '--seed', seed, '--false-alarm-rate', rate,
              '--scaler', 'identity-scaler', '--epochs', 1, '--score', score])
        results[name] = figures_of(program, model, files['test'], ['--labels', files['labels']])
    return dict(sorted(results.items()))


def report(runs):
    """Prints the means of a list of {method: figures}; 1 where what must agree does not, else 0."""
    means = {name: np.mean([run[name] for run in runs], axis=0) for name in runs[0]}
    print('| method | AUC-ROC | AUC-PR | false alarms | found |\n| --- | --- | --- | --- | --- |')
    for name, (roc, pr, alarms, recall) in means.items():
        print(f'| {name} | {roc:.4f} | {pr:.4f} | {100 * alarms:.1f}% | {100 * recall:.1f}% |')
    worst = 0
    for one, other in SAME:
        apart = max(abs(run[one][0] - run[other][0]) for run in runs)
        print(f'{one} and scikit-learn: areas differ by {apart:.1e} at most')
        worst = max(worst, apart)
    if worst > AGREEMENT:
        print(f'FAILED they are to agree to {AGREEMENT}')
    sys.stdout.flush()
    return int(worst > AGREEMENT), means
