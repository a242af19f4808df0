#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes training.hpp: losses of 100 steps of Adam on windows of real data, by PyTorch from the library's own start and noise.

    OMP_NUM_THREADS=1 tests/reference/training.py ../shared/data [--out FILE]

First values and noise are what core/random.hpp and autodiff/scope.hpp make of seeds and paths, computed again in NumPy:
nothing of the library is run. Float64 throughout. Only numbers that the training gives are written, none of the data.
"""
import argparse
import math
import os

import numpy as np
import torch

from nn import Header

F = torch.nn.functional
MASK = (1 << 64) - 1

# ---- core/random.hpp


def mix64(x):
    x = ((x ^ (x >> 30)) * 0xbf58476d1ce4e5b9) & MASK
    x = ((x ^ (x >> 27)) * 0x94d049bb133111eb) & MASK
    return x ^ (x >> 31)


def philox(counters, key):
    """Philox4x32-10 of an array (n, 4) of counters."""
    c = counters.astype(np.uint64)
    k0, k1 = key
    low = np.uint64(0xffffffff)
    for _ in range(10):
        a = np.uint64(0xD2511F53) * c[:, 0]
        b = np.uint64(0xCD9E8D57) * c[:, 2]
        c = np.stack([(b >> np.uint64(32)) ^ c[:, 1] ^ np.uint64(k0), b & low,
                      (a >> np.uint64(32)) ^ c[:, 3] ^ np.uint64(k1), a & low], axis=1)
        k0 = (k0 + 0x9E3779B9) & 0xffffffff
        k1 = (k1 + 0xBB67AE85) & 0xffffffff
    return c


def words(n, seed, site, epoch=0, sample=0):
    key = mix64((mix64((seed + 0x9e3779b97f4a7c15) & MASK) + site) & MASK)
    blocks = (n + 3) // 4
    counters = np.zeros((blocks, 4), dtype=np.uint64)
    counters[:, 0] = np.arange(blocks)
    counters[:, 1] = sample
    counters[:, 2] = epoch
    return philox(counters, (key & 0xffffffff, key >> 32)).reshape(-1)


def uniform(n, *key):
    return (words(n, *key)[:n].astype(np.float64) + 0.5) * 2.0 ** -32


def normal(n, *key):
    pairs = (words(n, *key).astype(np.float64) + 0.5).reshape(-1, 2) * 2.0 ** -32
    radius = np.sqrt(-2 * np.log(pairs[:, 0]))
    angle = 2 * np.pi * pairs[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:n]


# ---- autodiff/name.hpp and scope.hpp


def name_hash(name):
    value = 0xcbf29ce484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001b3) & MASK
    return value


def combine(seed, value):
    return mix64((seed * 0x9e3779b97f4a7c15 + value) & MASK)


def path_site(path):
    """The site of a parameter's first values."""
    value = 0
    for name in path.split('.'):
        value = combine(value, name_hash(name))
    return value


def noise_site(path, request=1):
    """The site of a noise request in a layer that is called for the first time."""
    value = 0
    for name in filter(None, path.split('.')):
        value = combine(combine(value, name_hash(name)), 0)
    return combine(value, request)


# The known answers of Random123, and of tests/core/random.cpp and tests/autodiff/noise.cpp.
assert philox(np.zeros((1, 4)), (0, 0)).tolist() == [[0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]]
assert philox(np.full((1, 4), 0xffffffff), (0xffffffff,) * 2).tolist() == [
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]]
assert name_hash('') == 0xcbf29ce484222325 and name_hash('a') == 0xaf63dc4c8601ec8c

# ---- the models

SEED, NOISE_SEED = 11, 5
STEPS, RATE, WINDOWS, LENGTH, STRIDE = 100, 5e-3, 32, 64, 100
REPORTED = (1, 10, 50, 100)
LATENT, WIDE, HIDDEN, CHANNELS, HEADS, FEED_FORWARD, RATE_OF_DROPOUT, BLOCKS = 4, 32, 16, 16, 4, 32, 0.1, 6


class Parameters(dict):
    """Parameters by path, in the order in which the library asks for them."""

    def fan_in(self, path, shape, fan_in):
        bound = 1.0 / math.sqrt(fan_in)
        self.put(path, bound * (2 * uniform(math.prod(shape), SEED, path_site(path)) - 1), shape)

    def glorot(self, path, shape, total):
        bound = math.sqrt(6.0 / total)
        self.put(path, bound * (2 * uniform(math.prod(shape), SEED, path_site(path)) - 1), shape)

    def constant(self, path, shape, value):
        self.put(path, np.full(math.prod(shape), float(value)), shape)

    def put(self, path, values, shape):
        assert path not in self
        self[path] = torch.tensor(values.reshape(shape), dtype=torch.float64, requires_grad=True)

    def dense(self, path, inputs, outputs):
        self.fan_in(f'{path}.weight', (outputs, inputs), inputs)
        self.fan_in(f'{path}.bias', (outputs,), inputs)

    def lstm(self, path, inputs, hidden):
        self.fan_in(f'{path}.weight_ih', (4 * hidden, inputs), hidden)
        self.fan_in(f'{path}.weight_hh', (4 * hidden, hidden), hidden)
        self.fan_in(f'{path}.bias_ih', (4 * hidden,), hidden)
        self.fan_in(f'{path}.bias_hh', (4 * hidden,), hidden)

    def transformer(self, path, channels, feed_forward):
        self.constant(f'{path}.norm1.weight', (channels,), 1)
        self.constant(f'{path}.norm1.bias', (channels,), 0)
        self.glorot(f'{path}.self_attn.in_proj_weight', (3 * channels, channels), 4 * channels)
        self.constant(f'{path}.self_attn.in_proj_bias', (3 * channels,), 0)
        self.fan_in(f'{path}.self_attn.out_proj.weight', (channels, channels), channels)
        self.constant(f'{path}.self_attn.out_proj.bias', (channels,), 0)
        self.constant(f'{path}.norm2.weight', (channels,), 1)
        self.constant(f'{path}.norm2.bias', (channels,), 0)
        self.dense(f'{path}.linear1', channels, feed_forward)
        self.dense(f'{path}.linear2', feed_forward, channels)

    def likelihood(self, shape, inputs):
        """shape: (T, C) or (D,)."""
        self.dense('likelihood.mean', inputs, shape[-1])
        self.constant('likelihood.log_variance', shape, 0)

    def flat(self):
        return torch.cat([value.detach().reshape(-1) for value in self.values()])


def noise(draw, path, shape, epoch):
    """(batch, ...) of noise: one key for every sample."""
    return torch.tensor(np.stack([draw(math.prod(shape[1:]), NOISE_SEED, noise_site(path), epoch, j)
                                  for j in range(shape[0])]).reshape(shape))


class Model:
    """encode and decode are functions of (self, x); the rest is the same for all."""
    batch = WINDOWS

    def __init__(self, shape):
        self.p = Parameters()
        self.shape = shape
        self.epoch = 0

    def dense(self, path, x):
        return F.linear(x, self.p[f'{path}.weight'], self.p[f'{path}.bias'])

    def dropout(self, path, x):
        kept = noise(uniform, path, x.shape, self.epoch) >= RATE_OF_DROPOUT
        return torch.where(kept, x * (1 / (1 - RATE_OF_DROPOUT)), torch.zeros_like(x))

    def lstm(self, path, x):
        p, hidden = self.p, self.p[f'{path}.weight_hh'].shape[1]
        zero = torch.zeros(1, x.shape[0], hidden, dtype=torch.float64)
        flat = [p[f'{path}.{name}'] for name in ('weight_ih', 'weight_hh', 'bias_ih', 'bias_hh')]
        return torch._VF.lstm(x, (zero, zero), flat, True, 1, 0.0, True, False, True)[0]

    def transformer(self, path, x):
        p, channels = self.p, x.shape[-1]
        standard = F.layer_norm(x, (channels,), p[f'{path}.norm1.weight'], p[f'{path}.norm1.bias'])
        turned = standard.transpose(0, 1)
        attended = F.multi_head_attention_forward(
            turned, turned, turned, channels, HEADS, p[f'{path}.self_attn.in_proj_weight'],
            p[f'{path}.self_attn.in_proj_bias'], None, None, False, 0.0, p[f'{path}.self_attn.out_proj.weight'],
            p[f'{path}.self_attn.out_proj.bias'], need_weights=False)[0].transpose(0, 1)
        h = x + self.dropout(f'{path}.dropout1', attended)
        standard = F.layer_norm(h, (channels,), p[f'{path}.norm2.weight'], p[f'{path}.norm2.bias'])
        wide = self.dropout(f'{path}.dropout', torch.relu(self.dense(f'{path}.linear1', standard)))
        return h + self.dropout(f'{path}.dropout2', self.dense(f'{path}.linear2', wide))

    def loss(self, x):
        p = self.p
        heads = self.dense('latent', self.encode(x))
        mu, log_variance = heads[:, :LATENT], heads[:, LATENT:].clamp(-12, 6)
        z = mu + torch.exp(log_variance / 2) * noise(normal, '', mu.shape, self.epoch)
        mean = self.dense('likelihood.mean', self.decode(z))
        s = p['likelihood.log_variance'].clamp(-6, 4)
        reconstruction = 0.5 * ((x - mean) ** 2 * torch.exp(-s) + s + math.log(2 * math.pi))
        kl = 0.5 * (mu ** 2 + torch.exp(log_variance) - 1 - log_variance)
        return (reconstruction.sum() + kl.sum()) / x.shape[0]


class Residuals(Model):
    """Twelve residual dense layers, six on each side."""

    def __init__(self, channels):
        super().__init__((LENGTH * channels,))
        self.p.dense('encoder.0', LENGTH * channels, WIDE)
        for i in range(BLOCKS):
            self.p.dense(f'encoder.{i + 1}.layer', WIDE, WIDE)
        self.p.dense('latent', WIDE, 2 * LATENT)
        self.p.dense('decoder.0', LATENT, WIDE)
        for i in range(BLOCKS):
            self.p.dense(f'decoder.{i + 1}.layer', WIDE, WIDE)
        self.p.likelihood(self.shape, WIDE)

    def stack(self, path, x):
        h = torch.tanh(self.dense(f'{path}.0', x))
        for i in range(BLOCKS):
            h = h + torch.tanh(self.dense(f'{path}.{i + 1}.layer', h))
        return h

    def encode(self, x):
        return self.stack('encoder', x)

    def decode(self, z):
        return self.stack('decoder', z)


class Relus(Model):
    """Dense layers with ReLU, 64 and 32 wide on each side, on 32 made-up samples of 30 features: made_up() in training.py,
    made_up_windows() in tests/nn/training.hpp."""

    def __init__(self, features):
        super().__init__((features,))
        for path, inputs, outputs in (('encoder.0', features, 64), ('encoder.1', 64, 32), ('latent', 32, 2 * LATENT),
                                      ('decoder.0', LATENT, 32), ('decoder.1', 32, 64)):
            self.p.dense(path, inputs, outputs)
        self.p.likelihood(self.shape, 64)

    def encode(self, x):
        return torch.relu(self.dense('encoder.1', torch.relu(self.dense('encoder.0', x))))

    def decode(self, z):
        return torch.relu(self.dense('decoder.1', torch.relu(self.dense('decoder.0', z))))


class Recurrent(Model):
    """An LSTM over 64 steps on each side."""
    batch = 8  # fewer: under sanitizers a step takes a hundred times as long

    def __init__(self, channels):
        super().__init__((LENGTH, channels))
        self.p.lstm('encoder.0', channels, HIDDEN)
        self.p.dense('latent', HIDDEN, 2 * LATENT)
        self.p.lstm('decoder.1', LATENT, HIDDEN)
        self.p.likelihood(self.shape, HIDDEN)

    def encode(self, x):
        return self.lstm('encoder.0', x)[:, -1]

    def decode(self, z):
        return self.lstm('decoder.1', z[:, None].expand(-1, LENGTH, -1))


class Attention(Model):
    """A transformer block of four heads on each side, with dropout."""
    batch = 8

    def __init__(self, channels):
        super().__init__((LENGTH, channels))
        self.p.dense('encoder.0', channels, CHANNELS)
        self.p.transformer('encoder.2', CHANNELS, FEED_FORWARD)
        self.p.dense('latent', LENGTH * CHANNELS, 2 * LATENT)
        self.p.dense('decoder.0', LATENT, CHANNELS)
        self.p.transformer('decoder.3', CHANNELS, FEED_FORWARD)
        self.p.likelihood(self.shape, CHANNELS)
        self.places = torch.tensor([[(math.sin if c % 2 == 0 else math.cos)(t * 10000.0 ** -((c - c % 2) / CHANNELS))
                                     for c in range(CHANNELS)] for t in range(LENGTH)], dtype=torch.float64)

    def encode(self, x):
        return self.transformer('encoder.2', self.dense('encoder.0', x) + self.places).flatten(1)

    def decode(self, z):
        return self.transformer('decoder.3', self.dense('decoder.0', z)[:, None] + self.places)


def windows(rows):
    """(WINDOWS, LENGTH, channels), every STRIDE rows, scaled by mean and deviation of the rows they span."""
    rows = rows[:(WINDOWS - 1) * STRIDE + LENGTH]
    rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    return torch.tensor(np.stack([rows[i * STRIDE:i * STRIDE + LENGTH] for i in range(WINDOWS)]))


def made_up(samples, features):
    """(samples, features), multiples of 1/2048: three hidden numbers of each sample, and noise."""
    state = 1

    def draw():
        nonlocal state
        state = (state * 1664525 + 1013904223) & 0xffffffff
        return ((state >> 22) - 512) / 512

    x = np.zeros((samples, features))
    for i in range(samples):
        a, b, c = draw(), draw(), draw()
        for d in range(features):
            x[i, d] = a * (d % 5) / 4 + b * (d % 3) / 2 + c + draw() / 4
    return torch.tensor(x)


def read(path, separator):
    with open(path, encoding='utf-8') as lines:
        return np.array([[float(cell) for cell in line.split(separator)[1:]] for line in list(lines)[1:]])


def train(header, name, model, x):
    x = x[:model.batch].reshape(model.batch, *model.shape)
    flat = model.p.flat()
    header.integer(f'{name}_batch', model.batch)
    header.integer(f'{name}_parameters', flat.numel())
    # Weighted, so that an exchange shows.
    header.number(f'{name}_start', (flat * torch.cos(torch.arange(flat.numel(), dtype=torch.float64))).sum())
    optimiser = torch.optim.Adam(list(model.p.values()), lr=RATE)
    losses = []
    for step in range(STEPS):
        model.epoch = step
        optimiser.zero_grad()
        loss = model.loss(x)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    print(name, [losses[k - 1] for k in REPORTED])
    header.array(f'{name}_losses', torch.tensor([losses[k - 1] for k in REPORTED], dtype=torch.float64))


PREAMBLE = """
Windows: `windows` of them, `length` rows each, one every `stride` rows from the first data row of the file; every
column is scaled by the mean and the deviation (divided by n) of the rows that the windows span. A step takes the first
`..._batch` windows, with sample id = window and epoch = step, from 0. `..._start` is the sum over all parameters of
p[i] cos(i); `..._losses` are those met in steps 1, 10, 50 and 100, before the parameters change.
"""


def build(data):
    header = Header('training.py', PREAMBLE)
    header.section('The runs.')
    for name, value in (('windows', WINDOWS), ('length', LENGTH), ('stride', STRIDE), ('steps', STEPS), ('seed', SEED),
                        ('noise_seed', NOISE_SEED)):
        header.integer(f'training_{name}', value)
    header.number('training_rate', RATE)
    header.section('Single numbers of the noise, for whoever looks for a difference: uniform and normal, element 6 of sample 3\n'
                   'in epoch 2, at the site of the first request in layer encoder.2.dropout1.')
    key = (NOISE_SEED, noise_site('encoder.2.dropout1'), 2, 3)
    header.number('training_uniform', uniform(8, *key)[6])
    header.number('training_normal', normal(8, *key)[6])
    skab = windows(read(os.path.join(data, 'skab', 'anomaly-free.csv'), ';'))
    nab = windows(read(os.path.join(data, 'nab', 'realKnownCause', 'nyc_taxi.csv'), ','))
    header.section(Relus.__doc__)
    header.integer('made_up_features', 30)
    train(header, 'relu_made_up', Relus(30), made_up(WINDOWS, 30))
    for kind, name in ((Residuals, 'residual'), (Recurrent, 'lstm'), (Attention, 'attention')):
        header.section(kind.__doc__)
        train(header, f'{name}_skab', kind(skab.shape[2]), skab)
        train(header, f'{name}_nab', kind(nab.shape[2]), nab)
    return header


if __name__ == '__main__':
    parser = argparse.ArgumentParser(description='writes training.hpp')
    parser.add_argument('data', help='the folder of the real data sets')
    parser.add_argument('--out', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), 'training.hpp'))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    build(arguments.data).write(arguments.out)
