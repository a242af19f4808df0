#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What each part of the default of `untoward fit` is worth: the same rows, with and without it.

    benchmarks/ablation.py build/untoward --data ../shared/data/tabular
    benchmarks/ablation.py build/untoward --data ../shared/data/tabular --splits 5 --variants default,fast
    benchmarks/ablation.py build/untoward --data ../shared/data/tabular --without glass,musk,http

A data set is a folder with train_x.npy (normal rows), test_x.npy and test_y.npy (1 = anomaly). The first split is the given one;
of the others each takes another random half of all normal rows to learn from. Prints, for every variant, means over sets
and splits of the area under the ROC curve and of average precision, both in percent, as `untoward evaluate` measures them; the share
of bootstrap samples of the sets in which its mean area is above that of nearest neighbours, which `evaluate` measures beside each
model; and the seconds of a fit, mean and longest. A markdown table, one line as each variant ends; `--each` adds the
sets'. Exit status: 0; 1 if a run failed; 2 for bad usage.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
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
    start = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f'{" ".join(command)}\n  exit status {done.returncode}: {done.stderr.strip()[-400:]}')
    return done.stdout, time.perf_counter() - start


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


def measure(options, arguments, folder, scratch):
    model = str(scratch / 'model')
    _, seconds = run([options.program, 'fit', str(folder / 'train_x.npy'), '--model', model, '--quiet', *arguments])
    said, _ = run([options.program, 'evaluate', str(folder / 'test_x.npy'), '--model', model, '--labels', str(folder / 'test_y.npy'),
                   '--json'])
    figures = json.loads(said)
    return [100 * figures[key] for key in ('auc_roc', 'auc_pr', 'neighbours_auc_roc', 'neighbours_auc_pr')] + [seconds]


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
    parser.add_argument('--each', action='store_true', help='print every set')
    options = parser.parse_args()
    names = options.sets.split(',') if options.sets else sorted(p.parent.name for p in options.data.glob('*/test_y.npy'))
    names = [name for name in names if name not in options.without.split(',')]
    variants = options.variants.split(',') if options.variants else list(VARIANTS)
    if unknown := [v for v in variants if v not in VARIANTS]:
        parser.error(f'there is no variant {unknown[0]}')

    print(f'{len(names)} sets, {options.splits} split{"s" if options.splits > 1 else ""}\n')
    print('| variant | AUC-ROC | AUC-PR | P(above neighbours) | fit, s | longest, s |\n| --- | --- | --- | --- | --- | --- |')
    neighbours = None
    with tempfile.TemporaryDirectory(prefix='untoward-ablation-') as place:
        scratch = Path(place)
        for variant in variants:
            text, arguments = VARIANTS[variant]
            results = np.array([[measure(options, arguments, folder, scratch)
                                 for folder in splits_of(options.data / name, options.splits, scratch)] for name in names])
            by_set = results.mean(axis=1)
            if neighbours is None:
                neighbours = by_set[:, 2:4].mean(axis=0)
                print(f'| nearest neighbours of (at most 2,000) standardised rows | {neighbours[0]:.2f} | {neighbours[1]:.2f} | | | |')
            print(f'| {text} | {by_set[:, 0].mean():.2f} | {by_set[:, 1].mean():.2f} | {probability_above(by_set[:, 0], by_set[:, 2]):.2f} '
                  f'| {results[..., 4].mean():.1f} | {results[..., 4].max():.1f} |', flush=True)
            for name, row in zip(names, by_set) if options.each else ():
                print(f'  {name:15} {row[0]:6.2f} / {row[1]:6.2f}   neighbours {row[2]:6.2f} / {row[3]:6.2f}   {row[4]:6.1f} s', flush=True)


if __name__ == '__main__':
    sys.exit(main())
