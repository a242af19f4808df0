#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What rounding the weights of an exported detector does to how well it finds anomalies.

    benchmarks/export_quality.py build/untoward --data ../shared/data/tabular

Every set that has train.csv (normal rows) and test.csv (with the column `label`): `untoward fit` of one model with the score -ELBO on four
fifths of the rows, `untoward export` with float32, bfloat16 and int8 weights (the threshold of each by the other fifth), each header compiled
on this host with g++ and run over the test rows. Prints means over the seeds of the area under the ROC curve and the average precision,
how much the area differs from float32's at most, the share of test rows that are decided otherwise, the bytes of constants in flash and,
where arm-none-eabi-g++ is installed and it is no more than 512 KB, of the whole detector: score, threshold and all they need, linked for a Cortex-M4F at -Os.
Exit status: 0; 1 if a run failed, if a float32 header's area is not that of `untoward evaluate`, or if a mean area of int8 is not within
--most-change of float32's; 2 for bad usage.
"""
import argparse
import contextlib
import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from tabular import average_precision, roc_area

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'examples' / 'embedded'))
import build  # noqa: E402

WEIGHTS = ('float32', 'bfloat16', 'int8')
PROGRAM = '''#include "detector.hpp"
#include <cstdio>
using Detector = detector::Detector;
int main() {
    if (!Detector::self_test()) return 1;
    std::printf("%zu\\n", static_cast<std::size_t>(Detector::flash_bytes));
    float cells[sizeof detector::Definition::columns / sizeof detector::Definition::columns[0]];
    float sample[Detector::features];
    while (std::fread(cells, sizeof cells, 1, stdin) == 1) {
        Detector::code(cells, sample);
        const auto verdict = Detector::judge(sample);
        std::printf("%.9g %d\\n", static_cast<double>(verdict.score), verdict.is_anomaly ? 1 : 0);
    }
}
'''


def run(command, **more):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, **more)
    if done.returncode != 0:
        raise SystemExit(f'FAILED {shlex.join(map(str, command))}\n  {done.returncode}: {done.stderr.decode(errors="replace")[-2000:]}')
    return done.stdout.decode()


def read(path):
    with open(path, newline='', encoding='utf-8') as file:
        header, *rows = csv.reader(file)
    return header, rows


def write(path, header, rows):
    with open(path, 'w', newline='', encoding='utf-8') as file:
        csv.writer(file).writerows([header, *rows])


def exported(options, model, normals, cells, weights, scratch):
    """Scores and decisions of the compiled header, its bytes of constants, and of flash in all (NaN without a cross compiler)."""
    run([options.program, 'export', model, '--header', scratch / 'detector.hpp', '--weights', weights, '--normals', normals])
    (scratch / 'main.cpp').write_text(PROGRAM, encoding='utf-8')
    include = Path(__file__).resolve().parents[1] / 'include'
    run(['g++', '-std=c++20', '-O1', '-I', scratch, '-I', include, '-isystem', os.environ.get('EIGEN_INCLUDE', '/usr/include/eigen3'),
         scratch / 'main.cpp', '-o', scratch / 'main'])
    flash, *lines = run([scratch / 'main'], input=cells.tobytes()).splitlines()
    said = np.array([line.split() for line in lines], dtype=float)
    whole = float('nan')
    if shutil.which(build.compiler_of('m4f')):
        # Its commands; and what is larger than the board's flash cannot be linked.
        with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(subprocess.CalledProcessError):
            whole = build.whole_flash(scratch, [os.environ.get('EIGEN_INCLUDE', '/usr/include/eigen3')])['all']
    return said[:, 0], said[:, 1] > 0, int(flash), whole


def measure(options, folder, seed, scratch):
    """(area, average precision, share decided otherwise, bytes of constants, bytes of all) by weights."""
    header, rows = read(folder / 'train.csv')
    order = np.random.RandomState(seed).permutation(len(rows))
    held = len(rows) // 5
    write(scratch / 'normals.csv', header, [rows[i] for i in order[:held]])
    write(scratch / 'fit.csv', header, [rows[i] for i in order[held:]])
    model = scratch / 'model'
    fit = ['--hidden', options.hidden, '--score', 'negative-elbo'] if options.fit is None else shlex.split(options.fit)
    run([options.program, 'fit', scratch / 'fit.csv', '--model', model, *fit, '--seed', seed, '--false-alarm-rate', 0.05, '--quiet'])
    names, test = read(folder / 'test.csv')
    labels = np.array([float(row[names.index('label')]) for row in test]) > 0
    cells = np.array([[row[names.index(name)] for name in header] for row in test]).astype(np.float32)
    said = json.loads(run([options.program, 'evaluate', folder / 'test.csv', '--model', model, '--label', 'label', '--json']))
    results, before = {}, None
    for weights in WEIGHTS:
        scores, alarms, flash, whole = exported(options, model, scratch / 'normals.csv', cells, weights, scratch)
        before = alarms if before is None else before
        results[weights] = (roc_area(labels, scores), average_precision(labels, scores), (alarms != before).mean(), flash,
                            whole)
    if abs(results['float32'][0] - said['auc_roc']) > 1e-4:
        raise SystemExit(f'FAILED {folder.name}: the header has an area of {results["float32"][0]:.6f}, the program {said["auc_roc"]:.6f}')
    return [results[weights] for weights in WEIGHTS]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/tabular'), help='folder of the sets (%(default)s)')
    parser.add_argument('--seeds', type=lambda text: [int(seed) for seed in text.split(',')], default=[1, 2, 3], metavar='A,B,..')
    parser.add_argument('--hidden', default='32,16', help='units of the hidden layers (%(default)s)')
    parser.add_argument('--fit', help='options of `untoward fit` in place of --hidden and that score: "--fast", or "" for the default')
    parser.add_argument('--most-change', type=float, default=0.005, help='of a mean area by int8 (%(default)s)')
    options = parser.parse_args()
    folders = sorted(path.parent for path in options.data.glob('*/test.csv') if (path.parent / 'train.csv').is_file())
    if not folders:
        parser.error(f'{options.data} has no set with train.csv and test.csv')
    if not shutil.which(build.compiler_of('m4f')):
        print(f'{build.compiler_of("m4f")} is not installed: the flash of whole detectors is not measured', file=sys.stderr)
    print('| set | weights | AUC-ROC | AUC-PR | AUC-ROC differs, at most | decided otherwise | constants, bytes | whole detector, bytes | of float32 |')
    print('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
    failed = 0
    with tempfile.TemporaryDirectory(prefix='untoward-export-') as place:
        for folder in folders:
            runs = np.array([measure(options, folder, seed, Path(place)) for seed in options.seeds])
            apart = np.abs(runs[..., 0] - runs[:, :1, 0]).max(axis=0)
            for weights, (area, precision, otherwise, flash, whole), most in zip(WEIGHTS, runs.mean(axis=0), apart):
                share = 100 * whole / runs[:, 0, 4].mean()
                in_flash = (f'{whole:.0f}' if whole == whole else '') + ' | ' + (f'{share:.1f}%' if share == share else '')
                print(f'| {folder.name} | {weights} | {area:.4f} | {precision:.4f} | {most:.4f} | {100 * otherwise:.2f}% | {flash:.0f} | '
                      f'{in_flash} |', flush=True)
            change = abs(runs[:, 2, 0].mean() - runs[:, 0, 0].mean())
            if change > options.most_change:
                print(f'FAILED {folder.name}: the mean area by int8 is {change:.4f} from that by float32')
                failed = 1
    return failed


if __name__ == '__main__':
    sys.exit(main())
