#!/usr/bin/python3
"""Intrusions into a network, NSL-KDD: `untoward` learns normal connections and meets attacks.

    benchmarks/network.py build/untoward --data ../shared/data/network_nslkdd --min-auc 0.955

Fits train_normal.csv and evaluates test.csv by its column `label` (its column `attack`, the kind of attack, is no feature: the model has
never seen it). Prints the area under the ROC curve, the average precision and the false-alarm rate that came out at the threshold
promised for --false-alarm-rate: test traffic differs from training traffic, so it need not keep the promise.
Exit status: 0; 1 if a run failed or the mean auc_roc is below --min-auc; 2 for bad usage.
"""
import argparse
import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHOWN = ('auc_roc', 'auc_pr', 'false_alarm_rate', 'recall')


def call(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f'FAILED {shlex.join(command)}\n  exit status {done.returncode}: {done.stderr.strip()[-2000:]}')
        sys.exit(1)
    return done.stdout


def evaluate(options, seed, model):
    fit = [options.program, 'fit', str(options.data / 'train_normal.csv'), '--model', model, '--seed', str(seed)]
    if options.false_alarm_rate is not None:
        fit += ['--false-alarm-rate', repr(options.false_alarm_rate)]
    start = time.perf_counter()
    call(fit + options.args)
    seconds = time.perf_counter() - start
    text = call([options.program, 'evaluate', str(options.data / 'test.csv'), '--model', model, '--label', 'label', '--json'])
    try:
        result = json.loads(text)
        return [float(result[name]) for name in SHOWN] + [seconds]
    except (ValueError, TypeError, KeyError) as error:
        print(f'FAILED evaluate --json: {error!r} in {text[:500]!r}')
        sys.exit(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/network_nslkdd'), help='its folder (%(default)s)')
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in text.split(',')], default=[1, 2, 3], metavar='A,B,..',
                        help='1,2,3 by default')
    parser.add_argument('--false-alarm-rate', type=float, help="passed to fit; the program's own default otherwise")
    parser.add_argument('--args', type=shlex.split, default=[], help="more arguments for fit, as in --args='--epochs 50'")
    parser.add_argument('--min-auc', type=float, default=0.0, help='lowest mean auc_roc that passes')
    options = parser.parse_args()
    if not shutil.which(options.program):
        parser.error(f'{options.program} is not a program')
    for file in ('train_normal.csv', 'test.csv'):
        if not (options.data / file).is_file():
            parser.error(f'{options.data / file} is not there')

    columns = (*SHOWN, 'fit_s')
    print(f'{"seed":<6}' + ''.join(f'{name:>18}' for name in columns))
    rows = []
    with tempfile.TemporaryDirectory(prefix='untoward-network-') as scratch:
        for seed in options.seeds:
            rows.append(evaluate(options, seed, str(Path(scratch) / 'model.safetensors')))
            print(f'{seed:<6}' + ''.join(f'{value:>18.4f}' for value in rows[-1]), flush=True)
    means = [statistics.fmean(column) for column in zip(*rows)]
    print(f'{"mean":<6}' + ''.join(f'{value:>18.4f}' for value in means))
    if not means[0] >= options.min_auc:
        print(f'FAILED mean auc_roc {means[0]:.4f} < {options.min_auc}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
