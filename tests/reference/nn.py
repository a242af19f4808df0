#!/usr/bin/python3
"""Writes nn.hpp: what PyTorch computes for dense layers, the GRU, the causal convolution and elementwise functions.

    OMP_NUM_THREADS=1 tests/reference/nn.py [--out FILE]

Everything is float64. Inputs, parameters and weights of the loss are multiples of 1/1024, so that a test in float meets
exactly the same numbers. A gradient is that of sum(output * upstream).
"""
import argparse
import math
import os

import torch

SEED = 20240611


class Header:
    """A C++ header of constants. Arrays are flattened in C order; repr() is the shortest text that reads back to the same bits."""

    WIDTH = 110

    def __init__(self, script, preamble):
        self.lines = [f'// Written by tests/reference/{script} with torch {torch.__version__} in float64. Do not edit.',
                      '// SPDX-License-Identifier: MIT', '// clang-format off', '#pragma once', '']
        self.lines += [f'// {line}'.rstrip() for line in preamble.strip().splitlines()]
        self.lines += ['', 'namespace untoward::reference {']
        self.names = set()

    def section(self, text):
        self.lines.append('')
        self.lines += [f'// {line}' for line in text.strip().splitlines()]

    def claim(self, name):
        assert name not in self.names, f'{name} is written twice'
        self.names.add(name)

    def integer(self, name, value):
        self.claim(name)
        self.lines.append(f'inline constexpr int {name} = {int(value)};')

    def number(self, name, value):
        value = float(value)
        assert math.isfinite(value), f'{name} is not finite'
        self.claim(name)
        self.lines.append(f'inline constexpr double {name} = {value!r};')

    def array(self, name, tensor, dimensions=None):
        """dimensions: names of the extents, slowest first, e.g. ('batch', 'T', 'C')."""
        tensor = torch.as_tensor(tensor, dtype=torch.float64).detach()
        assert torch.isfinite(tensor).all(), f'{name} is not finite'
        self.claim(name)
        shape = ', '.join(str(extent) for extent in tensor.shape)
        if dimensions:
            assert len(dimensions) == tensor.dim(), name
            shape = ', '.join(f'{text} {extent}' for text, extent in zip(dimensions, tensor.shape))
        self.lines.append(f'inline constexpr double {name}[] = {{  // ({shape})')
        line = '   '
        for value in tensor.reshape(-1).tolist():
            text = f' {value!r},'
            if len(line) + len(text) > self.WIDTH:
                self.lines.append(line)
                line = '   '
            line += text
        self.lines += [line, '};']

    def write(self, path):
        text = '\n'.join(self.lines + ['', '}  // namespace untoward::reference', ''])
        with open(path, 'w', encoding='ascii') as out:
            out.write(text)
        print(f'{path}: {len(self.names)} constants, {len(text)} bytes')


def main(script, build):
    parser = argparse.ArgumentParser(description=f'writes {script[:-3]}.hpp')
    parser.add_argument('--out', default=os.path.join(os.path.dirname(os.path.abspath(__file__)), script[:-3] + '.hpp'))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    build().write(arguments.out)


def draw(*shape, scale=1.0):
    """Normal numbers, rounded to multiples of 1/1024; a leaf that wants a gradient."""
    values = torch.randn(*shape, dtype=torch.float64) * scale
    return (torch.round(values * 1024) / 1024).requires_grad_()


ACTIVATIONS = {
    'identity': lambda a: a,
    'relu': torch.relu,
    'tanh': torch.tanh,
    'sigmoid': torch.sigmoid,
    'softplus': torch.nn.functional.softplus,  # exact here: linear only above 20, and no sum gets there
}


def dense(header, prefix, activation, inputs, outputs, batch):
    x, weight, bias = draw(batch, inputs), draw(outputs, inputs), draw(outputs)
    upstream = draw(batch, outputs).detach()
    sums = torch.nn.functional.linear(x, weight, bias)
    assert sums.abs().max() < 20
    y = ACTIVATIONS[activation](sums)
    (y * upstream).sum().backward()
    header.array(f'{prefix}_x', x, ('batch', 'in'))
    header.array(f'{prefix}_weight', weight, ('out', 'in'))
    header.array(f'{prefix}_bias', bias, ('out',))
    header.array(f'{prefix}_upstream', upstream, ('batch', 'out'))
    header.array(f'{prefix}_y', y, ('batch', 'out'))
    header.array(f'{prefix}_dx', x.grad, ('batch', 'in'))
    header.array(f'{prefix}_dweight', weight.grad, ('out', 'in'))
    header.array(f'{prefix}_dbias', bias.grad, ('out',))


def gru(header, prefix, channels, hidden, steps, batch):
    layer = torch.nn.GRU(channels, hidden, batch_first=True).double()
    parameters = {'weight_ih': layer.weight_ih_l0, 'weight_hh': layer.weight_hh_l0,
                  'bias_ih': layer.bias_ih_l0, 'bias_hh': layer.bias_hh_l0}
    with torch.no_grad():
        for parameter in parameters.values():
            parameter.copy_(draw(*parameter.shape, scale=0.6))
    x = draw(batch, steps, channels)
    upstream = draw(batch, steps, hidden).detach()
    y, last = layer(x)
    assert torch.equal(last[0], y[:, -1])
    (y * upstream).sum().backward()
    for name, value in (('channels', channels), ('hidden', hidden), ('steps', steps), ('batch', batch)):
        header.integer(f'{prefix}_{name}', value)
    header.array(f'{prefix}_x', x, ('batch', 'T', 'C'))
    for name, parameter in parameters.items():
        extents = {'weight_ih': ('3H', 'C'), 'weight_hh': ('3H', 'H')}.get(name, ('3H',))
        header.array(f'{prefix}_{name}', parameter, extents)
    header.array(f'{prefix}_upstream', upstream, ('batch', 'T', 'H'))
    header.array(f'{prefix}_y', y, ('batch', 'T', 'H'))
    header.array(f'{prefix}_last', last[0], ('batch', 'H'))
    header.array(f'{prefix}_dx', x.grad, ('batch', 'T', 'C'))
    for name, parameter in parameters.items():
        extents = {'weight_ih': ('3H', 'C'), 'weight_hh': ('3H', 'H')}.get(name, ('3H',))
        header.array(f'{prefix}_d{name}', parameter.grad, extents)


def causal_convolution(header, prefix, inputs, outputs, kernel, dilation, steps, batch):
    layer = torch.nn.Conv1d(inputs, outputs, kernel, dilation=dilation).double()
    with torch.no_grad():
        layer.weight.copy_(draw(outputs, inputs, kernel, scale=0.6))
        layer.bias.copy_(draw(outputs, scale=0.6))
    x = draw(batch, steps, inputs)
    upstream = draw(batch, steps, outputs).detach()
    padded = torch.nn.functional.pad(x.transpose(1, 2), ((kernel - 1) * dilation, 0))
    y = layer(padded).transpose(1, 2)  # torch has (batch, channels, time)
    assert y.shape == (batch, steps, outputs)
    (y * upstream).sum().backward()
    for name, value in (('inputs', inputs), ('outputs', outputs), ('kernel', kernel), ('dilation', dilation),
                        ('steps', steps), ('batch', batch)):
        header.integer(f'{prefix}_{name}', value)
    header.array(f'{prefix}_x', x, ('batch', 'T', 'in'))
    header.array(f'{prefix}_weight', layer.weight.permute(2, 0, 1), ('K', 'out', 'in'))
    header.array(f'{prefix}_bias', layer.bias, ('out',))
    header.array(f'{prefix}_upstream', upstream, ('batch', 'T', 'out'))
    header.array(f'{prefix}_y', y, ('batch', 'T', 'out'))
    header.array(f'{prefix}_dx', x.grad, ('batch', 'T', 'in'))
    header.array(f'{prefix}_dweight', layer.weight.grad.permute(2, 0, 1), ('K', 'out', 'in'))
    header.array(f'{prefix}_dbias', layer.bias.grad, ('out',))


def elementwise(header, name, function, derivative, points):
    """The derivative is written from a form that does not cancel; autograd must agree to rounding."""
    x = torch.tensor(points, dtype=torch.float64, requires_grad=True)
    y = function(x)
    y.sum().backward()
    exact = derivative(x.detach())
    assert torch.allclose(x.grad, exact, rtol=1e-12, atol=1e-15), (name, x.grad, exact)
    header.array(f'{name}_x', x)
    header.array(f'{name}_value', y)
    header.array(f'{name}_derivative', exact)


PREAMBLE = """
Layouts. A dense batch is (batch, features), a batch of sequences (batch, T, C), both in C order: one
sample after another, inside a sample one time step after another, inside a step the channels. The comment
behind each array gives its extents, slowest first. Every gradient (dx, dweight, ...) is that of
sum(y * upstream) and has the layout of what it belongs to. Of the layers, x, parameters and upstream are
multiples of 1/1024: a float holds them exactly. Every number reads back to the bits that PyTorch had.
"""


def build():
    header = Header('nn.py', PREAMBLE)

    header.section('Dense layers, y = activation(weight x + bias).')
    for name in ACTIVATIONS:
        dense(header, f'linear_{name}', name, inputs=5, outputs=3, batch=4)
    header.section('The same with everything of size one.')
    for name in ACTIVATIONS:
        dense(header, f'linear1_{name}', name, inputs=1, outputs=1, batch=1)

    header.section('GRU from h = 0. Rows of the weights: reset, update, new. y holds the state after every step, last the\n'
                   "state after the final one. n = tanh(W_in x + b_in + r * (W_hn h + b_hn)), h' = (1 - z) * n + z * h.")
    gru(header, 'gru', channels=3, hidden=5, steps=32, batch=2)
    gru(header, 'gru1', channels=1, hidden=1, steps=1, batch=1)

    header.section('Causal dilated convolution: y[t] = bias + sum over k of weight[k] x[t - (K - 1 - k) dilation], with\n'
                   'x = 0 before time 0, so weight[K - 1] sees the present. The weight is (K, out, in), where PyTorch has\n'
                   '(out, in, K).')
    for dilation in (1, 2, 4):
        causal_convolution(header, f'conv_d{dilation}', inputs=3, outputs=5, kernel=3, dilation=dilation, steps=32, batch=2)
    causal_convolution(header, 'conv1', inputs=1, outputs=2, kernel=2, dilation=3, steps=7, batch=1)

    header.section('Elementwise functions and their derivatives. sigmoid(-800) is 3.7e-348, which is 0 in double.')
    ordinary = [-12.5, -5.0, -2.0, -1.0, -0.5, -0.1, -1e-3, 0.0, 1e-3, 0.1, 0.5, 1.0, 2.0, 5.0, 12.5]
    wide = [-800.0, -30.0, -8.0, -2.0, -0.7, -0.1, -1e-3, 0.0, 1e-3, 0.1, 0.7, 2.0, 8.0, 30.0, 800.0]
    elementwise(header, 'exp', torch.exp, torch.exp, [-700.0, -80.0] + ordinary + [80.0, 700.0])
    elementwise(header, 'log', torch.log, torch.reciprocal,
                [1e-300, 1e-30, 1e-6, 1e-3, 0.1, 0.5, 0.999, 1.0, 1.001, 2.0, math.e, 10.0, 1e3, 1e6, 1e30, 1e300])
    elementwise(header, 'tanh', torch.tanh, lambda x: torch.cosh(x).pow(-2), [-25.0, *ordinary, 25.0])
    elementwise(header, 'sigmoid', torch.sigmoid, lambda x: torch.sigmoid(x) * torch.sigmoid(-x), wide)
    # Torch's softplus turns linear above 20 unless told otherwise (wrong by 2e-9); its logaddexp loses the small end.
    elementwise(header, 'softplus', lambda x: torch.nn.functional.softplus(x, threshold=700), torch.sigmoid, wide)
    return header


if __name__ == '__main__':
    main('nn.py', build)
