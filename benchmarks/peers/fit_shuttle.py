#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`untoward fit` on the table shuttle, and the same recipe in PyTorch, each on one thread, one after the other.

    benchmarks/peers/fit_shuttle.py build/bench/examples/untoward --data ../shared/data/tabular/shuttle

The recipe is what `untoward fit` does for one model of its usual size (`--hidden 128,128`): a fifth of the rows for
calibration, a tenth of the others to judge, robust scaling, 128-128-(latent)-128-128 with ReLU, a normal likelihood with a learned variance per feature, batches of 128 of a
shuffled stream, 20 passes within 1,500 to 4,000 steps, Adam under a cosine schedule, the KL term growing over the first 30%,
clipping by norm, 40 evaluations of which the best one stays and 12 without a better one end it; then the scores of the
calibration rows, what is typical of each feature, and the latent report. PyTorch gets its batches by indexing tensors; with
--loader from a DataLoader, as its documentation has it, which puts every batch together row by row.

Times are processor time, user and system. The whole process of untoward, with reading, writing and starting; of PyTorch what
comes after its imports (and, in brackets, the whole process). Areas under the ROC curve of the test rows say whether both
learned the same. Needs python3-torch and libopenblas0-pthread of Debian. Exit status: 0; 1 if the ratio is below --min-ratio or something
failed; 2 for bad usage.
"""
import argparse
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path


# --- the recipe in PyTorch, run as a child ---------------------------------------------------------

def fit_in_pytorch(folder, seed, loader):
    import time

    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    with open('/proc/self/maps', encoding='utf-8') as maps:
        blas = {os.path.realpath(line.split()[-1]) for line in maps if re.search(r'/libblas\.so', line)}
    if not blas or any('openblas' not in path for path in blas):
        sys.exit(f'PyTorch multiplies with {", ".join(blas) or "an unknown library"}, not with OpenBLAS '
                 '(Debian: libopenblas0-pthread)')

    start = time.process_time()
    torch.manual_seed(seed)
    rows = np.load(folder / 'train_x.npy')
    order = np.random.default_rng(seed).permutation(len(rows))
    calibration, rest = np.split(order, [len(rows) // 5])
    held_out, fitting = np.split(rest, [len(rest) // 10 if len(rest) >= 2000 else 0])
    low, centre, high = np.quantile(rows[rest].astype(np.float64), [0.25, 0.5, 0.75], axis=0)
    scale = np.where(high > low, (high - low) / 1.349, rows[rest].std(axis=0, dtype=np.float64))
    scale = np.where(scale > 0, scale, 1.0)

    def scaled(some):
        return torch.from_numpy(((some - centre) / scale).clip(-1000, 1000).astype(np.float32))

    train, judge = scaled(rows[fitting]), scaled(rows[held_out])
    features = rows.shape[1]
    units = min(features, max(2, min(16, features // 2)))

    class Vae(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
            self.latent = nn.Linear(128, 2 * units)
            self.decoder = nn.Sequential(nn.Linear(units, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU())
            self.mean = nn.Linear(128, features)
            self.log_variance = nn.Parameter(torch.zeros(features))

        def encode(self, x):
            mean, log_variance = self.latent(self.encoder(x)).chunk(2, dim=1)
            return mean, log_variance.clamp(-12, 6)

        def log_density(self, x, z):
            log_variance = self.log_variance.clamp(-6, 4)
            error = x - self.mean(self.decoder(z))
            return -0.5 * (error.square() * torch.exp(-log_variance) + log_variance + math.log(2 * math.pi))

    def kl_of(mean, log_variance):
        return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)

    def draw(mean, log_variance, noise):
        return mean + torch.exp(0.5 * log_variance) * noise

    model = Vae()
    optimiser = torch.optim.Adam(model.parameters())
    generator = torch.Generator().manual_seed(0)
    fixed = torch.randn(8, 1, units, generator=generator)

    @torch.inference_mode()
    def shares(x, draws):
        """Every feature's share of -ELBO, and the KL: n x features, n."""
        mean, log_variance = model.encode(x)
        total = sum(model.log_density(x, draw(mean, log_variance, fixed[k])) for k in range(draws))
        return total / -draws, kl_of(mean, log_variance).sum(1)

    def scores(x, draws):
        of_features, kl = shares(x, draws)
        return of_features.sum(1) + kl

    batch = min(128, len(train))
    passes = -(-len(train) // batch)
    steps = min(max(20 * passes, 1500), 4000)
    peak = min(max(4e-3 * 32 / features, 1.5e-3), 4e-3)
    warm, ramp = math.floor(0.02 * steps), 0.3 * steps
    stretch = max(1, steps // 40)
    best, best_loss, best_step, waited, taken = None, math.inf, 0, 0, 0

    def indexed():
        stream, place = torch.randperm(len(train)), 0
        while True:
            if place + batch > len(stream):
                stream, place = torch.cat([stream[place:], torch.randperm(len(train))]), 0
            yield train[stream[place:place + batch]]
            place += batch

    def loaded():
        data = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(train), batch_size=batch, shuffle=True, drop_last=True)
        while True:
            for x, in data:
                yield x

    batches = loaded() if loader else indexed()
    for step in range(steps):
        x = next(batches)
        rate = peak * (step + 1) / warm if step < warm else peak * 0.5 * (
            1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))
        beta = (step + 1) / (ramp + 1) if step < ramp else 1.0
        for group in optimiser.param_groups:
            group['lr'] = rate
        optimiser.zero_grad(set_to_none=True)
        mean, log_variance = model.encode(x)
        z = draw(mean, log_variance, torch.randn_like(mean))
        loss = (beta * kl_of(mean, log_variance).sum() - model.log_density(x, z).sum()) / batch
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1000)
        optimiser.step()
        if not math.isfinite(loss.item()):
            sys.exit(f'PyTorch, step {step}: the loss is not finite')
        taken = step + 1
        if taken % stretch != 0 and taken != steps:
            continue
        losses = scores(judge, 2).sort().values
        held_out_loss = losses[:len(losses) - len(losses) // 10].mean().item()
        if step < ramp and taken != steps:
            continue
        if held_out_loss < best_loss:
            best_loss, best_step, waited = held_out_loss, taken, 0
            best = {name: value.clone() for name, value in model.state_dict().items()}
        else:
            waited += 1
            if waited >= 12:
                break
    model.load_state_dict(best)

    typical = shares(train[:2000], 8)[0].median(dim=0).values
    calibrated = scores(scaled(rows[calibration]), 8).sort().values
    with torch.inference_mode():
        mean, log_variance = model.encode(train)
        active = int((mean.var(0) > 0.01).sum())
        per_unit = kl_of(mean, log_variance).mean(0)
    with tempfile.TemporaryFile() as file:
        torch.save({'model': model.state_dict(), 'centre': centre, 'scale': scale, 'typical': typical,
                    'calibration': calibrated, 'kl': per_unit}, file)
    seconds = time.process_time() - start

    of_test = scores(scaled(np.load(folder / 'test_x.npy')), 8).numpy()
    labels = np.load(folder / 'test_y.npy').astype(bool).ravel()
    normal = np.sort(of_test[~labels])
    below = np.searchsorted(normal, of_test[labels], 'left') + np.searchsorted(normal, of_test[labels], 'right')
    print(json.dumps({'version': torch.__version__, 'seconds': seconds, 'steps': taken, 'best_step': best_step, 'loss': best_loss,
                      'active': active, 'auc': float(below.mean() / 2 / len(normal))}))


# --- both, in turn ---------------------------------------------------------------------------------

def run(command, environment):
    """What it printed (both streams), and its processor time."""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   env={**os.environ, **environment})
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors='replace')
    if process.returncode != 0:
        print(f'FAILED {" ".join(command)}\n{text[-2000:]}')
        sys.exit(1)
    return text, usage.ru_utime + usage.ru_stime


def fit_with_untoward(options, seed, scratch):
    model = str(scratch / 'model.safetensors')
    text, seconds = run([options.program, 'fit', str(options.data / 'train_x.npy'), '--model', model, '--hidden', '128,128', '--seed', str(seed)], {})
    evaluated, _ = run([options.program, 'evaluate', str(options.data / 'test_x.npy'), '--model', model, '--labels',
                        str(options.data / 'test_y.npy'), '--json'], {})
    steps = int(re.search(r'for (\d+) steps', text).group(1))
    loss = float(re.search(r'-ELBO (\S+) nats', text).group(1))
    return {'seconds': seconds, 'steps': steps, 'loss': loss, 'auc': json.loads(evaluated)['auc_roc']}


def fit_with_pytorch(options, seed):
    environment = {'OMP_NUM_THREADS': '1', 'OPENBLAS_NUM_THREADS': '1'}
    if options.tuned:
        environment |= {'ATEN_CPU_CAPABILITY': 'avx512', 'OPENBLAS_CORETYPE': 'SkylakeX'}
    text, seconds = run([sys.executable, __file__, '--in-pytorch', str(options.data), str(seed), str(int(options.loader))],
                        environment)
    return {**json.loads(text.strip().splitlines()[-1]), 'process': seconds}


def main():
    if len(sys.argv) == 5 and sys.argv[1] == '--in-pytorch':
        fit_in_pytorch(Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == '1')
        return 0
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('program', help='the untoward program')
    parser.add_argument('--data', type=Path, default=Path('../shared/data/tabular/shuttle'), help='its folder (%(default)s)')
    parser.add_argument('--runs', type=int, default=3, help='of each, with seeds 1, 2, ... (%(default)s)')
    parser.add_argument('--tuned', action='store_true', help='tell PyTorch and OpenBLAS to use AVX-512')
    parser.add_argument('--loader', action='store_true', help='PyTorch gets its batches from a DataLoader')
    parser.add_argument('--min-ratio', type=float, default=0.0, help='lowest ratio that passes')
    options = parser.parse_args()
    if not shutil.which(options.program):
        parser.error(f'{options.program} is not a program')
    for file in ('train_x.npy', 'test_x.npy', 'test_y.npy'):
        if not (options.data / file).is_file():
            parser.error(f'{options.data / file} is not there')

    print(f'{"seed":<6}{"":<10}{"cpu s":>9}{"steps":>7}{"us/step":>9}{"-ELBO":>9}{"auc":>8}')
    ratios, processes, ours_all, theirs_all = [], [], [], []
    with tempfile.TemporaryDirectory(prefix='untoward-shuttle-') as scratch:
        for seed in range(1, options.runs + 1):
            # Turn about, so that neither is always the second.
            if seed % 2:
                ours = fit_with_untoward(options, seed, Path(scratch))
                theirs = fit_with_pytorch(options, seed)
            else:
                theirs = fit_with_pytorch(options, seed)
                ours = fit_with_untoward(options, seed, Path(scratch))
            for name, result in (('untoward', ours), ('PyTorch', theirs)):
                rest = f'   ({result["process"]:.2f} s with its imports)' if 'process' in result else ''
                print(f'{seed:<6}{name:<10}{result["seconds"]:>9.2f}{result["steps"]:>7}'
                      f'{result["seconds"] / result["steps"] * 1e6:>9.0f}{result["loss"]:>9.2f}{result["auc"]:>8.4f}{rest}',
                      flush=True)
            ratios.append(theirs['seconds'] / ours['seconds'])
            processes.append(theirs['process'] / ours['seconds'])
            ours_all.append(ours['seconds'])
            theirs_all.append(theirs['seconds'])
    ratio = statistics.median(ratios)
    print(f'PyTorch {theirs["version"]}{", tuned" if options.tuned else ""}; medians: untoward '
          f'{statistics.median(ours_all):.2f} s, PyTorch {statistics.median(theirs_all):.2f} s, ratio {ratio:.2f} '
          f'(with its imports {statistics.median(processes):.2f})')
    if not ratio >= options.min_ratio:
        print(f'FAILED ratio {ratio:.2f} < {options.min_ratio}')
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
