#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes extension.hpp: SciPy's negative binomial distribution, and PyTorch's OneCycleLR.

    OMP_NUM_THREADS=1 tests/reference/extension.py [--out FILE]

Everything is float64; inputs are multiples of 1/1024.
"""
import sys

sys.path.insert(0, __file__.rsplit('/', 1)[0])
import nn
import numpy
import torch
from scipy import stats

STEPS = 50


def one_cycle(**options):
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.125, total_steps=STEPS, **options)
    rates = []
    for step in range(STEPS):
        rates.append(optimiser.param_groups[0]['lr'])
        optimiser.step()
        if step + 1 < STEPS:
            schedule.step()
    return rates


def build():
    header = nn.Header('extension.py', __doc__)

    header.section('log p(x) of counts x, by their log-mean and log-size: every triple.')
    counts = numpy.array([0.0, 1, 2, 7, 30, 1000])
    log_means = numpy.array([-10.0, -1.25, 0, 2.5, 7])
    log_sizes = numpy.array([-4.0, -0.5, 0, 1.75, 7])
    x, log_mean, log_size = (a.reshape(-1) for a in numpy.meshgrid(counts, log_means, log_sizes, indexing='ij'))
    size, mean = numpy.exp(log_size), numpy.exp(log_mean)
    header.array('extension_counts', x)
    header.array('extension_log_means', log_mean)
    header.array('extension_log_sizes', log_size)
    header.array('extension_log_density', stats.nbinom.logpmf(x, size, size / (size + mean)))

    header.section('OneCycleLR(max_lr=0.125): the rate of each of 50 steps; and with pct_start=0.5, div_factor=10,\n'
                   'final_div_factor=100.')
    header.integer('extension_steps', STEPS)
    header.array('extension_one_cycle', one_cycle())
    header.array('extension_one_cycle_options', one_cycle(pct_start=0.5, div_factor=10, final_div_factor=100))
    return header


if __name__ == '__main__':
    nn.main('extension.py', build)
