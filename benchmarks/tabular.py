#!/usr/bin/python3
"""How well `untoward` finds anomalies in tables: one fit and one scoring for every data set and seed.

    benchmarks/tabular.py build/untoward --data ../shared/data/tabular --min-auc 0.917 --min-ap 0.790
    benchmarks/tabular.py build/untoward --sets thyroid,cardio --seeds 1 --args='--epochs 50'

A data set is a folder with train_x.npy (normal rows), test_x.npy and test_y.npy (1 = anomaly). Prints, per set, the means over the
seeds of the area under the ROC curve (auc) and the average precision (ap), and the seconds of a fit: by the clock, and of
processor time, which a busy machine disturbs less. Exit status: 0; 1 if a run failed or a mean is below its --min; 2 for bad usage.
"""
import argparse
import concurrent.futures
import csv
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FILES = ('train_x.npy', 'test_x.npy', 'test_y.npy')


class RunFailed(Exception):
    pass


def roc_area(labels, scores):
    """Probability that an anomaly scores above a normal row; a tie counts one half."""
    positive, negative = scores[labels], np.sort(scores[~labels])
    below = np.searchsorted(negative, positive, side='left')
    not_above = np.searchsorted(negative, positive, side='right')
    return float((below + not_above).mean() / 2 / len(negative))


def average_precision(labels, scores):
    """Sum over distinct thresholds of precision * gain in recall: rows that tie enter together, as in scikit-learn."""
    order = np.argsort(-scores, kind='stable')
    hits = np.cumsum(labels[order])
    last_of_tie = np.append(scores[order][1:] != scores[order][:-1], True)
    hits, rows = hits[last_of_tie], np.flatnonzero(last_of_tie) + 1
    return float((np.diff(hits, prepend=0) * (hits / rows)).sum() / hits[-1])


def run(command):
    """Seconds by the clock and of processor time."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        _, status, usage = os.wait4(process.pid, 0)
        clock = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors='replace').strip().splitlines()[-5:]
            raise RunFailed(f'{shlex.join(command)}\n  exit status {process.returncode}: ' + '\n  '.join(said or ['(silent)']))
    return clock, usage.ru_utime + usage.ru_stime


def read_scores(path, expected):
    with open(path, newline='', encoding='utf-8') as table:
        rows = csv.DictReader(table)
        if 'score' not in (rows.fieldnames or ()):
            raise RunFailed(f'{path}: no column "score" in {rows.fieldnames}')
        try:
            scores = np.array([float(row['score']) for row in rows])
        except (TypeError, ValueError) as error:
            raise RunFailed(f'{path}, line {rows.line_num}: {error}') from error
    if len(scores) != expected:
        raise RunFailed(f'{path}: {len(scores)} scores for {expected} rows')
    if np.isnan(scores).any():
        raise RunFailed(f'{path}: {int(np.isnan(scores).sum())} scores are not a number')
    return scores


@dataclass
class Outcome:
    name: str
    seed: int
    auc: float
    ap: float
    fit_seconds: float
    fit_cpu: float
    score_seconds: float


def measure(options, name, seed, scratch):
    folder = options.data / name
    model, scores = scratch / f'{name}-{seed}.safetensors', scratch / f'{name}-{seed}.csv'
    fit_seconds, fit_cpu = run([options.program, 'fit', str(folder / 'train_x.npy'), '--model', str(model), '--seed', str(seed),
                                *options.args])
    score_seconds, _ = run([options.program, 'score', str(folder / 'test_x.npy'), '--model', str(model), '--out', str(scores)])
    labels = np.load(folder / 'test_y.npy').astype(bool).ravel()
    values = read_scores(scores, len(labels))
    model.unlink()
    scores.unlink()
    return Outcome(name, seed, roc_area(labels, values), average_precision(labels, values), fit_seconds, fit_cpu, score_seconds)


def measure_all(options):
    outcomes, failures = [], []
    work = [(name, seed) for name in options.sets for seed in options.seeds]
    show = sys.stderr.isatty()
    with tempfile.TemporaryDirectory(prefix='untoward-tabular-') as scratch, \
            concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {pool.submit(measure, options, name, seed, Path(scratch)): (name, seed) for name, seed in work}
        for future in concurrent.futures.as_completed(waiting):
            try:
                outcomes.append(future.result())
            except RunFailed as error:
                failures.append((*waiting[future], str(error)))
            if show:
                print(f'\r{len(outcomes) + len(failures)} of {len(work)} ', end='', file=sys.stderr, flush=True)
    if show:
        print('\r' + ' ' * 20 + '\r', end='', file=sys.stderr)
    return sorted(outcomes, key=lambda o: (o.name, o.seed)), sorted(failures)


def read_baselines(path, methods):
    """{method: {set: (auc, ap)}} from a table with the columns set, method, auc_roc, auc_pr."""
    table = {}
    with open(path, newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            table.setdefault(row['method'], {})[row['set']] = (float(row['auc_roc']), float(row['auc_pr']))
    unknown = [method for method in methods if method not in table]
    if unknown:
        raise SystemExit(f'{path} has no method {", ".join(unknown)}; it has {", ".join(table)}')
    return {method: table[method] for method in methods}


def report(options, outcomes, baselines):
    """Prints the table; returns the mean auc and ap over the sets."""
    head = f'{"set":<13}{"train":>7}{"test":>7}{"d":>6} {"auc":>8}{"+-":>7}{"ap":>8}{"fit s":>8}{"cpu s":>8}{"score s":>9}'
    print(head + ''.join(f'{method:>18}' for method in baselines))
    means, beside = [], {method: [] for method in baselines}
    for name in options.sets:
        mine = [o for o in outcomes if o.name == name]
        if not mine:
            print(f'{name:<13} failed')
            continue
        rows, columns = np.load(options.data / name / 'train_x.npy', mmap_mode='r').shape
        test = len(np.load(options.data / name / 'test_y.npy', mmap_mode='r'))
        auc, ap = np.mean([o.auc for o in mine]), np.mean([o.ap for o in mine])
        means.append((auc, ap))
        line = f'{name:<13}{rows:>7}{test:>7}{columns:>6} {auc:>8.4f}{np.std([o.auc for o in mine]):>7.4f}{ap:>8.4f}'
        for value in ('fit_seconds', 'fit_cpu', 'score_seconds'):
            line += f'{np.mean([getattr(o, value) for o in mine]):>{9 if value == "score_seconds" else 8}.2f}'
        for method, known in baselines.items():
            if name in known:
                beside[method].append(known[name])
            line += f'{"%.4f / %.4f" % known[name] if name in known else "-":>18}'
        print(line)
    if not means:
        return float('nan'), float('nan')
    auc, ap = np.mean(means, axis=0)
    slowest = max(outcomes, key=lambda o: o.fit_seconds)
    line = f'{f"mean of {len(means)}":<13}{"":>20} {auc:>8.4f}{"":>7}{ap:>8.4f}{"":>25}'
    for known in beside.values():  # a method that lacks a set has no comparable mean
        line += f'{"%.4f / %.4f" % tuple(np.mean(known, axis=0)) if len(known) == len(means) else "-":>18}'
    print(line)
    print(f'seeds {",".join(map(str, options.seeds))}; slowest fit {slowest.fit_seconds:.2f} s '
          f'({slowest.fit_cpu:.2f} s of processor time): {slowest.name}, seed {slowest.seed}')
    return auc, ap


def write_csv(path, outcomes):
    with open(path, 'w', newline='', encoding='utf-8') as file:
        out = csv.writer(file, lineterminator='\n')
        out.writerow(['set', 'seed', 'auc_roc', 'auc_pr', 'fit_s', 'fit_cpu_s', 'score_s'])
        for o in outcomes:
            out.writerow([o.name, o.seed, f'{o.auc:.6f}', f'{o.ap:.6f}', f'{o.fit_seconds:.3f}', f'{o.fit_cpu:.3f}',
                          f'{o.score_seconds:.3f}'])


def parse(arguments):
    def names(text):
        return [name for name in text.split(',') if name]

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/tabular'), help='folder of the sets (%(default)s)')
    parser.add_argument('--sets', type=names, help='names, separated by commas; all of them by default')
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in names(text)], default=[1, 2, 3], metavar='A,B,..',
                        help='1,2,3 by default')
    parser.add_argument('--jobs', type=int, default=1, help='runs side by side; more than one spoils the times (1)')
    parser.add_argument('--args', type=shlex.split, default=[], help="more arguments for fit, as in --args='--epochs 50'")
    parser.add_argument('--csv', help='write every run to this file')
    parser.add_argument('--baselines', help='table of other methods to print beside: set,method,auc_roc,auc_pr')
    parser.add_argument('--methods', type=names, default=['kNN', 'VAE-tuned'], help='which of them (kNN,VAE-tuned)')
    parser.add_argument('--min-auc', type=float, default=0.0, help='lowest mean auc that passes')
    parser.add_argument('--min-ap', type=float, default=0.0, help='lowest mean ap that passes')
    options = parser.parse_args(arguments)

    if not options.data.is_dir():
        parser.error(f'{options.data} is not a folder')
    present = sorted(path.name for path in options.data.iterdir() if all((path / file).is_file() for file in FILES))
    missing = [name for name in options.sets or [] if name not in present]
    if missing or not present:
        parser.error(f'{options.data}: no set {", ".join(missing)}; there are: {", ".join(present) or "none"}')
    options.sets = options.sets or present
    if options.jobs < 1 or not options.seeds:
        parser.error('--jobs must be at least 1 and --seeds not empty')
    if not shutil.which(options.program):
        parser.error(f'{options.program} is not a program')
    return options


def main():
    options = parse(None)
    baselines = read_baselines(options.baselines, options.methods) if options.baselines else {}
    outcomes, failures = measure_all(options)
    auc, ap = report(options, outcomes, baselines)
    if options.csv:
        write_csv(options.csv, outcomes)
    for name, seed, message in failures:
        print(f'FAILED {name}, seed {seed}: {message}')
    passed = not failures
    for what, value, least in (('auc', auc, options.min_auc), ('ap', ap, options.min_ap)):
        if outcomes and value < least:
            print(f'FAILED mean {what} {value:.4f} < {least}')
            passed = False
    return 0 if passed else 1


if __name__ == '__main__':
    sys.exit(main())
