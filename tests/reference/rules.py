#!/usr/bin/python3
"""Writes rules.hpp: what PyTorch computes for rules: values and gradients.

    OMP_NUM_THREADS=1 tests/reference/rules.py [--out FILE]

Everything is float64; numbers that go in are multiples of 1/1024 (see nn.py). A gradient is that of
sum(output * upstream).
"""
import math

import torch
import torch.nn.functional as F

import nn
from nn import Header, draw, elementwise, main

PREAMBLE = """
Layouts: (batch, positions..., channels) in C order, where PyTorch's own functions want the channels before the
positions; a matrix Shape<M, K> is (K, M). Two operands are one x: for every sample the elements of a, then
those of b. Every gradient is that of sum(y * upstream). Every number reads back to the bits that PyTorch had.
"""


def write(header, prefix, x, y, gradient, parameters=()):
    upstream = draw(*y.shape).detach()
    (y * upstream).sum().backward()
    batch = x.shape[0]
    header.array(f'{prefix}_x', x.reshape(batch, -1), ('batch', 'elements'))
    for name, parameter in parameters:
        header.array(f'{prefix}_{name}', parameter)
    header.array(f'{prefix}_upstream', upstream.reshape(batch, -1), ('batch', 'elements'))
    header.array(f'{prefix}_y', y.reshape(batch, -1), ('batch', 'elements'))
    header.array(f'{prefix}_dx', gradient().reshape(batch, -1), ('batch', 'elements'))
    for name, parameter in parameters:
        header.array(f'{prefix}_d{name}', parameter.grad)


def unary(header, prefix, function, *shape, scale=1.0):
    x = draw(*shape, scale=scale)
    write(header, prefix, x, function(x), lambda: x.grad)


def binary(header, prefix, function, shape_a, shape_b, scale=1.0, prepare=lambda a, b: (a, b)):
    """The operands are one leaf, so that PyTorch's gradient of both comes in one piece."""
    a, b = prepare(draw(*shape_a, scale=scale).detach(), draw(*shape_b, scale=scale).detach())
    batch = shape_a[0]
    x = torch.cat([a.reshape(batch, -1), b.reshape(batch, -1)], dim=1).requires_grad_()
    size = math.prod(shape_a[1:])
    y = function(x[:, :size].reshape(shape_a), x[:, size:].reshape(shape_b))
    write(header, prefix, x, y, lambda: x.grad)


def matrices(header, prefix, m, k, n, transpose_a, transpose_b, factor, batch, heads=()):
    def function(a, b):
        a, b = a.transpose(-1, -2), b.transpose(-1, -2)  # to rows x columns
        left = a.transpose(-1, -2) if transpose_a else a
        right = b.transpose(-1, -2) if transpose_b else b
        return (factor * left @ right).transpose(-1, -2)
    shape_a = (m, k) if transpose_a else (k, m)  # columns x rows
    shape_b = (k, n) if transpose_b else (n, k)
    binary(header, prefix, function, (batch, *heads, *shape_a), (batch, *heads, *shape_b))


def embedding(header, prefix, size, entries, indices, batch):
    table = draw(entries, size)
    x = torch.randint(entries, (batch, indices))
    write(header, prefix, x, F.embedding(x, table), lambda: torch.zeros(x.shape), [('table', table)])


def channels_first(function):
    """A function of (batch, C, positions...) as one of (batch, positions..., C)."""
    return lambda x: function(x.movedim(-1, 1)).movedim(1, -1)


def leaky_relu_slope(x):
    return torch.where(x > 0, torch.ones_like(x), torch.full_like(x, 0.01))


def gelu_slope(x):
    return 0.5 * torch.erfc(-x / math.sqrt(2)) + x * torch.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def build():
    header = Header('rules.py', PREAMBLE)

    header.section('Functions of one number and their derivatives.')
    wide = [-800.0, -30.0, -8.0, -2.0, -0.7, -0.1, -1e-3, 0.0, 1e-3, 0.1, 0.7, 2.0, 8.0, 30.0, 800.0]
    elementwise(header, 'leaky_relu', F.leaky_relu, leaky_relu_slope, wide)
    elementwise(header, 'elu', F.elu, lambda x: torch.exp(x.clamp(max=0)), wide)
    elementwise(header, 'gelu', F.gelu, gelu_slope, [x for x in wide if abs(x) <= 30])
    elementwise(header, 'silu', F.silu, lambda x: torch.sigmoid(x) * (1 + x * torch.sigmoid(-x)),
                [x for x in wide if x > -800])
    elementwise(header, 'sqrt', torch.sqrt, lambda x: 0.5 / torch.sqrt(x), [1e-300, 1e-6, 0.1, 1.0, 2.0, 9.0, 1e6, 1e30])
    elementwise(header, 'abs', torch.abs, torch.sign, wide)

    header.section('Dense layers with these activations.')
    nn.ACTIVATIONS.update({'leaky_relu': F.leaky_relu, 'elu': F.elu, 'gelu': F.gelu, 'silu': F.silu})
    for name in ('leaky_relu', 'elu', 'gelu', 'silu'):
        nn.dense(header, f'dense_{name}', name, inputs=5, outputs=3, batch=4)
        nn.dense(header, f'dense1_{name}', name, inputs=1, outputs=1, batch=1)

    header.section('Over the channels of each position, and over each sample.')
    for name, function in (('softmax', lambda x: torch.softmax(x, -1)), ('log_softmax', lambda x: torch.log_softmax(x, -1)),
                           ('logsumexp', lambda x: torch.logsumexp(x, -1)), ('max', lambda x: x.max(-1).values),
                           ('min', lambda x: x.min(-1).values)):
        unary(header, f'{name}', function, 2, 3, 5, scale=3.0)
        unary(header, f'{name}1', function, 1, 1)
    for name, function in (('logsumexp', lambda x: torch.logsumexp(x, (1, 2))),
                           ('max', lambda x: x.flatten(1).max(1).values), ('min', lambda x: x.flatten(1).min(1).values)):
        unary(header, f'{name}_sample', function, 3, 3, 5, scale=3.0)

    header.section('Two operands, element by element. The first elements of maximum and minimum are ties.')
    def tie(a, b):
        b[:, :2] = a[:, :2]
        return a, b
    binary(header, 'divide', torch.div, (3, 5), (3, 5), prepare=lambda a, b: (a, torch.where(b < 0, b - 0.5, b + 0.5)))
    binary(header, 'maximum', torch.maximum, (3, 7), (3, 7), prepare=tie)
    binary(header, 'minimum', torch.minimum, (3, 7), (3, 7), prepare=tie)

    header.section('Products of matrices: M 4, K 3, N 5; each operand as it is (n) or transposed (t); the last has two\n'
                   'matrices in a sample and the factor 1/sqrt(3). Then M 9, K 16, N 7.')
    for a in (False, True):
        for b in (False, True):
            name = 'nt'[a] + 'nt'[b]
            matrices(header, f'product_{name}', 4, 3, 5, a, b, -0.75, batch=2)
            matrices(header, f'large_product_{name}', 9, 16, 7, a, b, 0.5, batch=1)
    matrices(header, 'product_heads', 4, 3, 5, True, False, 1 / math.sqrt(3), batch=2, heads=(2,))

    header.section('Embeddings: x holds indices.')
    embedding(header, 'embedding', size=3, entries=5, indices=4, batch=3)
    embedding(header, 'embedding1', size=1, entries=1, indices=1, batch=1)

    header.section('The order of extents and of steps.')
    unary(header, 'permute', lambda x: x.permute(0, 2, 3, 1), 2, 4, 3, 5)
    unary(header, 'flip', lambda x: x.flip(1), 2, 5, 3)

    header.section('Pools and nearest up-sampling.')
    for name, pools in (('max_pool', (F.max_pool1d, F.max_pool2d, F.max_pool3d)),
                        ('average_pool', (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d))):
        unary(header, f'{name}1d', channels_first(lambda x, f=pools[0]: f(x, 3, 2)), 2, 8, 3)
        unary(header, f'{name}2d', channels_first(lambda x, f=pools[1]: f(x, (2, 3), (2, 1))), 2, 5, 4, 3)
        unary(header, f'{name}3d', channels_first(lambda x, f=pools[2]: f(x, (1, 2, 3), (1, 1, 2))), 1, 2, 3, 5, 2)
        unary(header, f'{name}1', channels_first(lambda x, f=pools[0]: f(x, 1)), 1, 1, 1)
    unary(header, 'upsample1d', channels_first(lambda x: F.interpolate(x, scale_factor=3)), 2, 3, 3)
    unary(header, 'upsample2d', channels_first(lambda x: F.interpolate(x, scale_factor=(2, 3))), 1, 3, 2, 3)
    unary(header, 'upsample3d', channels_first(lambda x: F.interpolate(x, scale_factor=(2, 1, 3))), 1, 1, 3, 2, 2)
    return header


if __name__ == '__main__':
    main('rules.py', build)
