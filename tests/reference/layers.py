#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes layers.hpp: what PyTorch computes for norms, LSTM, bidirectional layers, attention, convolutions and embeddings.

    OMP_NUM_THREADS=1 tests/reference/layers.py [--out FILE]

Float64 throughout; inputs, parameters and weights of the loss are multiples of 1/1024 (see nn.py, which does the writing).
Every case is a function of x and named parameters, in the order and layout in which the library has them.
"""
import math

import torch

from nn import Header, draw, main

F = torch.nn.functional


def case(header, prefix, x, parameters, function, x_names=('batch', 'T', 'C'), wants_dx=True):
    """Values and gradients of function(x, **parameters), whose result is (batch, ...)."""
    y = function(x, **parameters)
    upstream = draw(*y.shape).detach()
    (y * upstream).sum().backward()
    header.integer(f'{prefix}_batch', x.shape[0])
    header.array(f'{prefix}_x', x, x_names if x.dim() == len(x_names) else None)
    flat = torch.cat([value.detach().reshape(-1) for value in parameters.values()]) if parameters else None
    if parameters:
        header.section(f'{prefix}_parameters: ' + ', '.join(
            f'{name} {tuple(value.shape)}' for name, value in parameters.items()))
        header.array(f'{prefix}_parameters', flat)
    header.array(f'{prefix}_upstream', upstream)
    header.array(f'{prefix}_y', y)
    if wants_dx:
        header.array(f'{prefix}_dx', x.grad)
    if parameters:
        header.array(f'{prefix}_gradient', torch.cat([
            (torch.zeros_like(value) if value.grad is None else value.grad).reshape(-1) for value in parameters.values()]))


def positive(*shape):
    values = draw(*shape)
    with torch.no_grad():
        values.copy_(values.abs() + 0.5)
    return values


def channels_first(function):
    """A function of (batch, C, T) as one of (batch, T, C)."""
    return lambda x, **parameters: function(x.transpose(1, 2), **parameters).transpose(1, 2)


def layer_norm(header, prefix, shape, eps):
    case(header, prefix, draw(*shape), {'weight': draw(shape[-1]), 'bias': draw(shape[-1])},
         lambda x, weight, bias: F.layer_norm(x, (shape[-1],), weight, bias, eps))


def batch_norm(header, prefix, shape, training, eps=1e-5):
    """The running averages are the last two parameters; in training the library hands back old - batch's, which is
    (old - new) / momentum of PyTorch."""
    channels = shape[-1]
    parameters = {'weight': draw(channels), 'bias': draw(channels)}
    mean, variance = draw(channels).detach(), positive(channels).detach()
    x = draw(*shape)
    old = torch.cat([mean, variance])
    momentum = 0.1

    def function(x, weight, bias):
        y = F.batch_norm(x.reshape(-1, channels), mean, variance, weight, bias, training, momentum, eps)
        return y.reshape(x.shape)

    case(header, prefix, x, parameters, function)
    header.array(f'{prefix}_running', old)
    header.array(f'{prefix}_running_new', torch.cat([mean, variance]))


def recurrent(header, prefix, kind, channels, hidden, steps, batch, bidirectional=False):
    layer = kind(channels, hidden, batch_first=True, bidirectional=bidirectional).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.6))
    # PyTorch's order is ours: weight_ih, weight_hh, bias_ih, bias_hh, then the same of the reverse pass.
    case(header, prefix, draw(batch, steps, channels), dict(layer.named_parameters()), lambda x, **_: layer(x)[0])
    if bidirectional:
        last = layer(draw(batch, steps, channels))[1]
        last = last[0] if isinstance(last, tuple) else last
        assert last.shape == (2, batch, hidden)


def last_states(header, prefix, channels, hidden, steps, batch):
    layer = torch.nn.LSTM(channels, hidden, batch_first=True, bidirectional=True).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.6))
    case(header, prefix, draw(batch, steps, channels), dict(layer.named_parameters()),
         lambda x, **_: torch.cat(tuple(layer(x)[1][0]), dim=1))


def attention(header, prefix, channels, heads, steps, batch, causal):
    layer = torch.nn.MultiheadAttention(channels, heads, batch_first=True).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.8))
    mask = torch.triu(torch.ones(steps, steps, dtype=torch.bool), diagonal=1) if causal else None
    case(header, prefix, draw(batch, steps, channels), dict(layer.named_parameters()),
         lambda x, **_: layer(x, x, x, attn_mask=mask, need_weights=False)[0])


def transformer(header, prefix, channels, heads, feed_forward, steps, batch):
    layer = torch.nn.TransformerEncoderLayer(channels, heads, feed_forward, dropout=0, batch_first=True,
                                             norm_first=True).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(draw(*parameter.shape, scale=0.8))
    named = dict(layer.named_parameters())
    order = ['norm1.weight', 'norm1.bias', 'self_attn.in_proj_weight', 'self_attn.in_proj_bias', 'self_attn.out_proj.weight',
             'self_attn.out_proj.bias', 'norm2.weight', 'norm2.bias', 'linear1.weight', 'linear1.bias', 'linear2.weight',
             'linear2.bias']
    assert sorted(order) == sorted(named)
    case(header, prefix, draw(batch, steps, channels), {name: named[name] for name in order}, lambda x, **_: layer(x))


def convolution(header, prefix, inputs, outputs, kernel, steps, batch, transposed=False, **options):
    """Weights are (K, out, in) here."""
    def function(x, weight, bias):
        if transposed:
            return F.conv_transpose1d(x, weight.permute(2, 1, 0), bias, **options)
        return F.conv1d(x, weight.permute(1, 2, 0), bias, **options)

    case(header, prefix, draw(batch, steps, inputs),
         {'weight': draw(kernel, outputs, inputs, scale=0.6), 'bias': draw(outputs, scale=0.6)}, channels_first(function))


def temporal_block(header, prefix, inputs, outputs, kernel, dilation, steps, batch):
    def causal(x, weight, bias):
        return F.conv1d(F.pad(x, ((kernel - 1) * dilation, 0)), weight.permute(1, 2, 0), bias, dilation=dilation)

    def function(x, weight1, bias1, weight2, bias2, downsample=None, downsample_bias=None):
        h = torch.relu(causal(torch.relu(causal(x, weight1, bias1)), weight2, bias2))
        base = x if downsample is None else F.conv1d(x, downsample[:, :, None], downsample_bias)
        return torch.relu(base + h)

    parameters = {'weight1': draw(kernel, outputs, inputs, scale=0.6), 'bias1': draw(outputs, scale=0.6),
                  'weight2': draw(kernel, outputs, outputs, scale=0.6), 'bias2': draw(outputs, scale=0.6)}
    if inputs != outputs:
        parameters |= {'downsample': draw(outputs, inputs, scale=0.6), 'downsample_bias': draw(outputs, scale=0.6)}
    case(header, prefix, draw(batch, steps, inputs), parameters, channels_first(function))


def embedding(header, prefix, entries, units, steps, batch):
    indices = torch.randint(0, entries, (batch, steps))
    indices[-1, -1] = entries - 1
    indices[0, 0] = 0
    weight = draw(entries, units)
    y = F.embedding(indices, weight)
    upstream = draw(*y.shape).detach()
    (y * upstream).sum().backward()
    header.integer(f'{prefix}_batch', batch)
    header.array(f'{prefix}_x', indices.double(), ('batch', 'T'))
    header.array(f'{prefix}_parameters', weight, ('entries', 'units'))
    header.array(f'{prefix}_upstream', upstream)
    header.array(f'{prefix}_y', y)
    header.array(f'{prefix}_gradient', weight.grad)


def sinusoids(header, prefix, channels, steps):
    """Vaswani et al. 2017 in Python's own floats: torch has no such layer."""
    places = [[(math.sin if c % 2 == 0 else math.cos)(t / 10000 ** ((c - c % 2) / channels)) for c in range(channels)]
              for t in range(steps)]
    header.array(prefix, torch.tensor(places, dtype=torch.float64), ('T', 'C'))


def tied(header, prefix, wide, middle, code, batch):
    parameters = {'wide.weight': draw(middle, wide, scale=0.5), 'wide.bias': draw(middle),
                  'wide.transposed_bias': draw(wide), 'narrow.weight': draw(code, middle, scale=0.5),
                  'narrow.bias': draw(code), 'narrow.transposed_bias': draw(middle)}

    def function(x, **p):
        h = torch.tanh(F.linear(x, p['wide.weight'], p['wide.bias']))
        z = torch.tanh(F.linear(h, p['narrow.weight'], p['narrow.bias']))
        g = torch.tanh(F.linear(z, p['narrow.weight'].T, p['narrow.transposed_bias']))
        return F.linear(g, p['wide.weight'].T, p['wide.transposed_bias'])

    case(header, prefix, draw(batch, wide), parameters, function)


PREAMBLE = """
Layouts are those of nn.hpp: batches of sequences are (batch, T, C) in C order; every gradient is that of
sum(y * upstream). `parameters` holds all parameters of a layer in the order of its layout, `gradient` what belongs
to them. Convolutions have weights (K, out, in), where PyTorch has (out, in, K) and, transposed, (in, out, K).
"""


def build():
    header = Header('layers.py', PREAMBLE)
    header.section('Layer norm over the channels.')
    layer_norm(header, 'layer_norm', (2, 3, 5), 1e-5)
    layer_norm(header, 'layer_norm1', (1, 1, 1), 1e-2)
    header.section('Batch norm over batch and positions. running holds mean and variance before, running_new after one step\n'
                   'with momentum 0.1.')
    batch_norm(header, 'batch_norm', (3, 5, 4), training=True)
    batch_norm(header, 'batch_norm2', (2, 1, 1), training=True)
    batch_norm(header, 'batch_norm_scoring', (3, 1, 4), training=False)
    header.section('LSTM, and both directions at once.')
    recurrent(header, 'lstm', torch.nn.LSTM, 3, 5, 9, 2)
    recurrent(header, 'lstm1', torch.nn.LSTM, 1, 1, 1, 1)
    recurrent(header, 'both_lstm', torch.nn.LSTM, 3, 2, 5, 2, bidirectional=True)
    recurrent(header, 'both_gru', torch.nn.GRU, 1, 3, 4, 1, bidirectional=True)
    last_states(header, 'last_states', 2, 3, 5, 2)
    header.section('Multi-head self-attention, a causal one, and a transformer block with its norms in front.')
    attention(header, 'attention', 6, 3, 5, 2, False)
    attention(header, 'attention_causal', 4, 2, 7, 2, True)
    attention(header, 'attention1', 1, 1, 1, 1, False)
    transformer(header, 'transformer', 4, 2, 7, 5, 2)
    header.section('Convolutions (stride, padding, dilation) and transposed ones (and output padding).')
    convolution(header, 'conv', 3, 4, 3, 9, 2, stride=2, padding=1)
    convolution(header, 'conv_wide', 2, 1, 2, 7, 1, stride=3, padding=4, dilation=5)
    convolution(header, 'conv_one', 1, 1, 1, 1, 1)
    convolution(header, 'transposed', 3, 4, 3, 5, 2, transposed=True, stride=2, padding=1, output_padding=1)
    convolution(header, 'transposed_wide', 2, 1, 2, 4, 1, transposed=True, stride=3, padding=2, dilation=5, output_padding=3)
    convolution(header, 'transposed_one', 1, 1, 1, 1, 1, transposed=True)
    header.section('Temporal blocks: with a convolution of kernel one beside, and without.')
    temporal_block(header, 'temporal', 3, 5, 3, 2, 9, 2)
    temporal_block(header, 'temporal_same', 1, 1, 2, 4, 3, 1)
    header.section('An embedding, and the sines and cosines of positions.')
    embedding(header, 'embedding', 5, 3, 7, 2)
    sinusoids(header, 'sinusoids', 5, 7)
    header.section('An autoencoder whose decoder has the weights of its encoder.')
    tied(header, 'tied', 7, 5, 2, 3)
    return header


if __name__ == '__main__':
    main('layers.py', build)
