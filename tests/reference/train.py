#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes train.hpp: what PyTorch's optimisers, schedules and weight averages do in 100 steps.

    OMP_NUM_THREADS=1 tests/reference/train.py [--out FILE]

The loss is 1/2 sum(curvature * (p - target)^2) + sum(cos(p)), so the gradient is curvature * (p - target) - sin(p), which
a test computes itself: gradients depend on the path, and errors grow along it. Two tensors, of which only the first
decays, as a weight and its bias. Everything is float64; inputs are multiples of 1/1024.
"""
import sys

sys.path.insert(0, __file__.rsplit('/', 1)[0])
import nn
import torch

STEPS = 100
WEIGHTS, BIASES = 12, 5


def draw(*shape, low=-1024, high=1025):
    return torch.randint(low, high, shape).double() / 1024


def gradient(p, target, curvature):
    return curvature * (p - target) - torch.sin(p)


def trace(make, start, target, curvature, rates=None, average=None):
    weight = start[:WEIGHTS].clone().requires_grad_()
    bias = start[WEIGHTS:].clone().requires_grad_()
    optimiser = make([weight], [bias])
    averaged = torch.zeros_like(start)
    for step in range(STEPS):
        if rates is not None:
            for group in optimiser.param_groups:
                group['lr'] = rates[step]
        weight.grad = gradient(weight.detach(), target[:WEIGHTS], curvature[:WEIGHTS])
        bias.grad = gradient(bias.detach(), target[WEIGHTS:], curvature[WEIGHTS:])
        optimiser.step()
        if average is not None:
            average(step, averaged, torch.cat([weight, bias]).detach())
    result = torch.cat([weight, bias]).detach()
    return (result, averaged) if average is not None else result


def build():
    header = nn.Header('train.py', __doc__)
    header.integer('train_weights', WEIGHTS)
    header.integer('train_biases', BIASES)
    header.integer('train_steps', STEPS)
    start = draw(WEIGHTS + BIASES) * 2
    target = draw(WEIGHTS + BIASES)
    curvature = draw(WEIGHTS + BIASES, low=64, high=4096)
    header.array('train_start', start)
    header.array('train_target', target)
    header.array('train_curvature', curvature)

    def grouped(kind, decay, **options):
        return lambda w, b: kind([{'params': w, 'weight_decay': decay}, {'params': b, 'weight_decay': 0.0}], **options)

    def write(name, make, **more):
        header.array(name, trace(make, start, target, curvature, **more))

    adam, adamw, sgd = torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD
    header.section('Defaults, learning rate 0.01; Sgd has no momentum.')
    write('train_adam', lambda w, b: adam(w + b, lr=0.01))
    write('train_adam_w', grouped(adamw, 0.01, lr=0.01))
    write('train_sgd', lambda w, b: sgd(w + b, lr=0.01))
    header.section('Adam with betas (0.5, 0.75), epsilon 0.1, lr 0.05; AdamW with those and decay 0.3.')
    write('train_adam_options', lambda w, b: adam(w + b, lr=0.05, betas=(0.5, 0.75), eps=0.1))
    write('train_adam_w_options', grouped(adamw, 0.3, lr=0.05, betas=(0.5, 0.75), eps=0.1))
    header.section('Sgd: lr 0.01, momentum 0.9; with Nesterov; both with decay 0.3; decay alone.')
    write('train_sgd_momentum', lambda w, b: sgd(w + b, lr=0.01, momentum=0.9))
    write('train_sgd_nesterov', lambda w, b: sgd(w + b, lr=0.01, momentum=0.9, nesterov=True))
    write('train_sgd_momentum_decay', grouped(sgd, 0.3, lr=0.01, momentum=0.9))
    write('train_sgd_nesterov_decay', grouped(sgd, 0.3, lr=0.01, momentum=0.9, nesterov=True))
    write('train_sgd_decay', grouped(sgd, 0.3, lr=0.01))
    header.section('A learning rate that changes at every step: 0.05 / (1 + step), step from 0.')
    rates = [0.05 / (1 + step) for step in range(STEPS)]
    write('train_adam_w_rates', grouped(adamw, 0.3, lr=0.01), rates=rates)
    write('train_sgd_rates', grouped(sgd, 0.3, lr=0.01, momentum=0.9, nesterov=True), rates=rates)

    header.section('Averages of the parameters of Adam, lr 0.05: torch.optim.swa_utils.AveragedModel from step 60 on, and\n'
                   'the same with avg_fn = 0.9 average + 0.1 parameters from the first step on.')

    def averaged(first, function):
        class Holder(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.p = torch.nn.Parameter(torch.zeros(WEIGHTS + BIASES, dtype=torch.float64))

        holder = Holder()
        model = torch.optim.swa_utils.AveragedModel(holder, avg_fn=function)

        def update(step, into, parameters):
            if step >= first:
                with torch.no_grad():
                    holder.p.copy_(parameters)
                model.update_parameters(holder)
            into.copy_(model.module.p.detach())
        return update

    def make(w, b):
        return adam(w + b, lr=0.05)

    header.array('train_uniform_average', trace(make, start, target, curvature, average=averaged(60, None))[1])
    header.array('train_exponential_average', trace(
        make, start, target, curvature, average=averaged(0, lambda a, p, n: 0.9 * a + 0.1 * p))[1])

    header.section('ReduceLROnPlateau(factor=0.5, patience=3, threshold=0.01, threshold_mode="abs", min_lr=0.001) on lr 0.1: the\n'
                   'losses it sees, and the rate after each.')
    losses = torch.cat([5 - draw(10).abs().cumsum(0), 1 + 0.05 * draw(25), 0.5 + 0.005 * draw(25), draw(10) - 2])
    plateau_optimiser = sgd([torch.zeros(1, requires_grad=True)], lr=0.1)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(plateau_optimiser, factor=0.5, patience=3, threshold=0.01,
                                                         threshold_mode='abs', min_lr=0.001)
    rates = []
    for loss in losses.tolist():
        plateau.step(loss)
        rates.append(plateau_optimiser.param_groups[0]['lr'])
    header.array('train_plateau_losses', losses)
    header.array('train_plateau_rates', rates)

    header.section('StepLR(step_size=7, gamma=0.5) on lr 0.1: the rate of each of 30 steps.')
    step_optimiser = sgd([torch.zeros(1, requires_grad=True)], lr=0.1)
    steps = torch.optim.lr_scheduler.StepLR(step_optimiser, step_size=7, gamma=0.5)
    rates = []
    for _ in range(30):
        rates.append(step_optimiser.param_groups[0]['lr'])
        step_optimiser.step()
        steps.step()
    header.array('train_step_rates', rates)
    return header


if __name__ == '__main__':
    nn.main('train.py', build)
