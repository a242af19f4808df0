#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What each part of the default of `untoward fit` is worth: the same rows, with and without it.

    benchmarks/ablation.py build/untoward --data ../shared/data/tabular
    benchmarks/ablation.py build/untoward --data ../shared/data/tabular --splits 5 --variants default,fast --knn --results runs.csv
    benchmarks/ablation.py build/untoward --data ../shared/data/tabular --without glass,musk,http

A data set is a folder with train_x.npy (normal rows), test_x.npy and test_y.npy (1 = anomaly). The first split is the given one;
of the others each takes another random half of all normal rows to learn from. Prints, for every variant, means over sets
and splits of the area under the ROC curve and of average precision, both in percent, as `untoward evaluate` measures them; the share
of bootstrap samples of the sets in which its mean area is above that of nearest neighbours; and the processor seconds of a fit,
mean and longest. A markdown table, one line as each variant ends; `--each` adds the sets'.

Neighbours are those that `evaluate` measures beside each model, of some of the rows. `--knn` measures scikit-learn's instead, of
all rows of the same split (standardised, distance to the fifth), and prints the means of both also without internetads, which
neighbours do badly, and without glass, musk and http, which have few anomalies or are caught by everything. `--peers FILE`, a table
with the columns set, method, auc_roc and auc_pr of the given splits, prints the mean rank of every variant among the methods of that file,
areas rounded to 0.001 and ties sharing their ranks. `--results FILE` keeps every run and takes from it what is there already, whatever the program was.
Exit status: 0; 1 if a run failed; 2 for bad usage.
"""
import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ELBO = 'slog{negative-elbo}'
RESIDUAL = 'slog{kl-divergence + 0.5 * mahalanobis-score{space=residual}}'
NEIGHBOURS = 'slog{neighbour-score}'
MIXTURE = 'slog{mixture-score{space=latent_and_residual}}'
VAE = f'0.5 * {ELBO} + 0.5 * {RESIDUAL}'
ALL = f'{VAE} + {NEIGHBOURS} + {MIXTURE}'


def one(score, *more):
    return ['--score', score, *more]


VARIANTS = {
    'elbo': ('one model, -ELBO', one('negative-elbo')),
    'standard': ('the same behind a standard scaler', one('negative-elbo', '--scaler', 'standard-scaler')),
    'error': ('one model, squared error', one('reconstruction-error')),
    'residual': ('one model, KL and Mahalanobis distance of the residual',
                 one('kl-divergence + 0.5 * mahalanobis-score{space=residual}')),
    'vae': ('both, -ELBO and that', one(VAE)),
    'input-neighbours': ('neighbours of the input alone', one('neighbour-score')),
    'input-mixture': ('mixture of the input alone', one('mixture-score')),
    'mixture': ('mixture of [mu, residual / rms] alone', one('mixture-score{space=latent_and_residual}')),
    'hybrid-neighbours': ('neighbours of [mu, residual / rms] alone', one('neighbour-score{space=latent_and_residual}')),
    'vae+neighbours': ('both and neighbours of the input', one(f'{VAE} + {NEIGHBOURS}')),
    'vae+mixture': ('both and the mixture of [mu, residual / rms]', one(f'{VAE} + {MIXTURE}')),
    'p-values': ('all three, as -log p', one(ALL.replace('slog', 'negative-log-p'))),
    'quantiles': ('all three, as normal quantiles', one(ALL.replace('slog', 'normal-quantile'))),
    'fast': ('all three: --fast', ['--fast']),
    'default': ('the default: four models, all three', []),
}


def run(command):
    """What it writes, and the processor seconds it took: a busy machine changes these less than those of the clock."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f'{" ".join(command)}\n  exit status {done.returncode}: {done.stderr.strip()[-400:]}')
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def splits_of(folder, count, scratch):
    """Folders of the splits: the given one, and others that are written to `scratch`."""
    yield folder
    if count == 1:
        return
    train, test = np.load(folder / 'train_x.npy'), np.load(folder / 'test_x.npy')
    labels = np.load(folder / 'test_y.npy').astype(bool).ravel()
    normal = np.concatenate([train, test[~labels]])
    for split in range(1, count):
        order = np.random.RandomState(split).permutation(len(normal))
        chosen, other = normal[order[:len(train)]], normal[order[len(train):]]
        place = scratch / f'{folder.name}-{split}'
        place.mkdir(exist_ok=True)
        np.save(place / 'train_x.npy', chosen)
        np.save(place / 'test_x.npy', np.concatenate([other, test[labels]]))
        np.save(place / 'test_y.npy', np.concatenate([np.zeros(len(other)), np.ones(labels.sum())]).astype(np.int32))
        yield place


FIGURES = ('auc_roc', 'auc_pr', 'neighbours_auc_roc', 'neighbours_auc_pr')
COLUMNS = ('variant', 'set', 'split', *FIGURES, 'fit_s')
PEERS = ('kNN', 'GMM', 'LOF', 'OCSVM', 'IForest', 'PCA', 'PyOD-AE', 'PyOD-VAE')
SUBSETS = (('all sets', ()), ('without internetads', ('internetads',)),
           ('without glass, musk and http', ('glass', 'musk', 'http')))


class Results:
    """Runs by (variant, set, split), kept in a file as they come, if there is one."""

    def __init__(self, path):
        self.path, self.runs = path, {}
        if path and path.exists():
            with open(path, newline='', encoding='utf-8') as file:
                for row in csv.DictReader(file):
                    self.runs[row['variant'], row['set'], int(row['split'])] = [float(row[name]) for name in COLUMNS[3:]]
        elif path:
            path.write_text(','.join(COLUMNS) + '\n', encoding='utf-8')

    def get(self, key, measure):
        if key not in self.runs:
            self.runs[key] = measure()
            if self.path:
                with open(self.path, 'a', encoding='utf-8') as file:
                    file.write(','.join([*map(str, key), *(f'{value:.6g}' for value in self.runs[key])]) + '\n')
        return self.runs[key]


def measure(options, arguments, folder, scratch):
    model = str(scratch / 'model')
    _, seconds = run([options.program, 'fit', str(folder / 'train_x.npy'), '--model', model, '--quiet', *arguments])
    said, _ = run([options.program, 'evaluate', str(folder / 'test_x.npy'), '--model', model, '--labels', str(folder / 'test_y.npy'),
                   '--json'])
    figures = json.loads(said)
    return [100 * figures[key] for key in FIGURES] + [seconds]


def neighbours_of(folder):
    """scikit-learn's: the distance to the fifth of all training rows, standardised."""
    from sklearn.metrics import average_precision_score, roc_auc_score
    from sklearn.neighbors import NearestNeighbors
    train, test = (np.load(folder / name).astype(np.float64) for name in ('train_x.npy', 'test_x.npy'))
    labels = np.load(folder / 'test_y.npy').ravel()
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 1e-12 * np.maximum(1, np.abs(mean)), deviation, 1)
    index = NearestNeighbors(n_neighbors=5).fit((train - mean) / deviation)
    distance = index.kneighbors((test - mean) / deviation)[0][:, -1]
    figures = [100 * roc_auc_score(labels, distance), 100 * average_precision_score(labels, distance)]
    return figures + figures + [0.0]


def probability_above(ours, theirs):
    """Of the bootstrap samples of the sets, those in which the mean of ours is above theirs."""
    draws = np.random.RandomState(0).randint(len(ours), size=(20000, len(ours)))
    return float(((ours - theirs)[draws].mean(axis=1) > 0).mean())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program')
    parser.add_argument('--data', type=Path, required=True)
    parser.add_argument('--sets', help='names with commas; else all')
    parser.add_argument('--without', default='', help='names with commas')
    parser.add_argument('--variants', help=f'of {",".join(VARIANTS)}; else all')
    parser.add_argument('--splits', type=int, default=1)
    parser.add_argument('--knn', action='store_true', help="compare with scikit-learn's nearest neighbours of all rows")
    parser.add_argument('--peers', type=Path, help='table of other methods on the given splits, for mean ranks')
    parser.add_argument('--results', type=Path, help='keeps every run there, and measures none again')
    parser.add_argument('--each', action='store_true', help='print every set')
    options = parser.parse_args()
    names = options.sets.split(',') if options.sets else sorted(p.parent.name for p in options.data.glob('*/test_y.npy'))
    names = [name for name in names if name not in options.without.split(',')]
    variants = options.variants.split(',') if options.variants else list(VARIANTS)
    if unknown := [v for v in variants if v not in VARIANTS]:
        parser.error(f'there is no variant {unknown[0]}')

    results = Results(options.results)
    with tempfile.TemporaryDirectory(prefix='untoward-ablation-') as place:
        report(options, names, variants, results, Path(place))
    if options.peers:
        print_ranks(options.peers, names, variants, results)


def report(options, names, variants, results, scratch):
    def runs(variant, measure_folder):
        """Figures by set, split, and name of the figure."""
        def of(name):
            folders = splits_of(options.data / name, options.splits, scratch)
            return [results.get((variant, name, split), lambda: measure_folder(folder)) for split, folder in enumerate(folders)]
        return np.array([of(name) for name in names])

    def print_each(by_set):
        for name, row in zip(names, by_set) if options.each else ():
            print(f'  {name:15} {row[0]:6.2f} / {row[1]:6.2f}   neighbours {row[2]:6.2f} / {row[3]:6.2f}   {row[4]:6.1f} s', flush=True)

    print(f'{len(names)} sets, {options.splits} split{"s" if options.splits > 1 else ""}\n')
    print('| variant | AUC-ROC | AUC-PR | P(above neighbours) | fit, s | longest, s |\n| --- | --- | --- | --- | --- | --- |')
    neighbours, means = None, {}
    if options.knn:
        neighbours = runs('kNN', neighbours_of).mean(axis=1)
        print(f'| nearest neighbours of all standardised rows | {neighbours[:, 0].mean():.2f} | {neighbours[:, 1].mean():.2f} | | | |', flush=True)
        print_each(neighbours)
    for variant in variants:
        text, arguments = VARIANTS[variant]
        of_variant = runs(variant, lambda folder: measure(options, arguments, folder, scratch))
        by_set = means[variant] = of_variant.mean(axis=1)
        if options.knn:
            by_set[:, 2:4] = neighbours[:, :2]
        elif neighbours is None:
            neighbours = by_set[:, 2:4]
            print(f'| nearest neighbours of (at most 2,000) standardised rows | {neighbours[:, 0].mean():.2f} '
                  f'| {neighbours[:, 1].mean():.2f} | | | |')
        print(f'| {text} | {by_set[:, 0].mean():.2f} | {by_set[:, 1].mean():.2f} | {probability_above(by_set[:, 0], by_set[:, 2]):.2f} '
              f'| {of_variant[..., 4].mean():.1f} | {of_variant[..., 4].max():.1f} |', flush=True)
        print_each(by_set)
    if options.knn:
        print_subsets(names, variants, means)


def print_subsets(names, variants, means):
    print('\n| AUC-ROC / AUC-PR | ' + ' | '.join(VARIANTS[variant][0] for variant in variants) + ' | nearest neighbours |')
    print('| --- ' * (len(variants) + 2) + '|')
    for text, left_out in SUBSETS:
        kept = [place for place, name in enumerate(names) if name not in left_out]
        cells = [means[variant][kept, :2].mean(axis=0) for variant in variants]
        cells.append(means[variants[0]][kept, 2:4].mean(axis=0))
        print(f'| {text} | ' + ' | '.join(f'{roc:.2f} / {pr:.2f}' for roc, pr in cells) + ' |')


def print_ranks(path, names, variants, results):
    known = {}
    with open(path, newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            known[row['method'], row['set']] = (100 * float(row['auc_roc']), 100 * float(row['auc_pr']))
    missing = [f'{method} on {name}' for method in PEERS for name in names if (method, name) not in known]
    if missing:
        raise SystemExit(f'{path} lacks {missing[0]}')
    print('\nMean rank among these, each variant alone beside them, the given split: AUC-ROC, AUC-PR')
    for variant in variants:
        ours = [results.runs[variant, name, 0][:2] for name in names]
        everyone = np.array([ours] + [[known[method, name] for name in names] for method in PEERS])  # method, set, figure
        rounded = np.round(everyone, 1)
        above = (rounded[None] > rounded[:, None]).sum(axis=1)
        equal = (rounded[None] == rounded[:, None]).sum(axis=1)
        ranks = (above + (equal + 1) / 2).mean(axis=1)
        print('  ' + ', '.join(f'{name} {rank[0]:.2f}, {rank[1]:.2f}' for name, rank in sorted(zip((variant, *PEERS), ranks),
                                                                                             key=lambda pair: pair[1][0])))


if __name__ == '__main__':
    sys.exit(main())
