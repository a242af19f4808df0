#!/usr/bin/python3
"""Writes vae.hpp: loss, gradient and 100 steps of Adam of a small Gaussian VAE; densities and KL by torch.distributions.

    OMP_NUM_THREADS=1 tests/reference/vae.py [--out FILE]

Float64 throughout; data, noise and first parameters are multiples of 1/1024 (see nn.py, which does the writing).
"""
import math

import torch

from nn import Header, draw, main

FEATURES, LATENT, BATCH, BETA = 5, 2, 4, 0.7
POSTERIOR, DECODER = (-12.0, 6.0), (-6.0, 4.0)  # where the log-variances are kept
STEPS = 100
ADAM = dict(lr=2e-3, betas=(0.9, 0.999), eps=1e-8)

LAYERS = {  # in the order of the flat vector: (out, in)
    'encoder.0': (7, FEATURES), 'encoder.1': (6, 7), 'latent': (2 * LATENT, 6),
    'decoder.0': (6, LATENT), 'decoder.1': (7, 6), 'likelihood.mean': (FEATURES, 7)}


def random_parameters():
    """Small weights, and a decoder's log-variance about 1."""
    values = {}
    for name, (outputs, inputs) in LAYERS.items():
        values[f'{name}.weight'] = draw(outputs, inputs, scale=1 / math.sqrt(inputs))
        values[f'{name}.bias'] = draw(outputs, scale=0.2)
    values['likelihood.log_variance'] = draw(FEATURES, scale=0.3)
    with torch.no_grad():
        values['likelihood.log_variance'] += 1
    return values


def extreme_parameters():
    """Posterior log-variances on both sides of both limits, a decoder's beyond its upper one: clamps hold in a few places only."""
    values = random_parameters()
    with torch.no_grad():
        values['latent.bias'][LATENT:] = torch.tensor([5.625, -12.375])
        values['likelihood.log_variance'][1] = 4.5
    return values


def elbo(values, x, eps):
    """Every quantity on the way from x to the loss. Without a likelihood.log_variance the decoder's variance is 1."""
    def layer(name, h):
        return torch.nn.functional.linear(h, values[f'{name}.weight'], values[f'{name}.bias'])

    q = {}
    head = layer('latent', torch.relu(layer('encoder.1', torch.relu(layer('encoder.0', x)))))
    q['mu'], q['raw_log_variance'] = head[:, :LATENT], head[:, LATENT:]
    q['log_variance'] = q['raw_log_variance'].clamp(*POSTERIOR)
    q['z'] = q['mu'] + torch.exp(q['log_variance'] / 2) * eps
    q['mean'] = layer('likelihood.mean', torch.relu(layer('decoder.1', torch.relu(layer('decoder.0', q['z'])))))
    s = values.get('likelihood.log_variance', torch.zeros(FEATURES, dtype=torch.float64)).clamp(*DECODER)
    negative_log_density = 0.5 * ((x - q['mean']) ** 2 / torch.exp(s) + s + math.log(2 * math.pi))
    q['reconstruction'] = negative_log_density.sum(1)
    q['kl_terms'] = 0.5 * (q['mu'] ** 2 + torch.exp(q['log_variance']) - 1 - q['log_variance'])
    q['kl'] = q['kl_terms'].sum(1)
    q['losses'] = q['reconstruction'] + BETA * q['kl']
    q['elbo'] = -(q['reconstruction'] + q['kl'])
    return q


def flat(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def train(values, x, eps, max_norm):
    leaves = [value.detach().clone().requires_grad_() for value in values.values()]
    named = dict(zip(values, leaves))
    optimiser = torch.optim.Adam(leaves, **ADAM)
    losses, norms = [], []
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = elbo(named, x, eps)['losses'].mean()
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(leaves, max_norm).item())
        optimiser.step()
        losses.append(loss.item())
    return losses, norms, elbo(named, x, eps)['losses'].mean().item(), flat(leaves)


def case(header, prefix, values, x, eps, everything=True):
    for value in values.values():
        value.grad = None
    q = elbo(values, x, eps)
    loss = q['losses'].mean()
    loss.backward()
    count = sum(value.numel() for value in values.values())
    header.integer(f'{prefix}_parameter_count', count)
    header.array(f'{prefix}_parameters', flat(values.values()))
    header.array(f'{prefix}_x', x, ('batch', 'd'))
    header.array(f'{prefix}_eps', eps, ('batch', 'K'))
    header.number(f'{prefix}_loss', loss)
    header.number(f'{prefix}_reconstruction', q['reconstruction'].mean())
    header.number(f'{prefix}_kl', q['kl'].mean())
    header.array(f'{prefix}_gradient', flat(value.grad for value in values.values()))
    if everything:
        for name, last in (('mu', 'K'), ('raw_log_variance', 'K'), ('log_variance', 'K'), ('z', 'K'), ('mean', 'd')):
            header.array(f'{prefix}_{name}', q[name], ('batch', last))
        header.array(f'{prefix}_reconstruction_per_sample', q['reconstruction'], ('batch',))
        header.array(f'{prefix}_kl_per_sample', q['kl'], ('batch',))
        header.array(f'{prefix}_loss_per_sample', q['losses'], ('batch',))
        header.array(f'{prefix}_elbo_per_sample', q['elbo'], ('batch',))
        header.array(f'{prefix}_kl_terms', q['kl_terms'], ('batch', 'K'))
        header.array(f'{prefix}_kl_per_unit', q['kl_terms'].mean(0), ('K',))
    return q


def training(header, prefix, values, x, eps, max_norm):
    losses, norms, last_loss, final = train(values, x, eps, max_norm)
    header.number(f'{prefix}_train_max_norm', max_norm)
    header.array(f'{prefix}_train_losses', losses, ('step',))
    header.array(f'{prefix}_train_norms', norms, ('step',))
    header.number(f'{prefix}_train_last_loss', last_loss)
    header.array(f'{prefix}_train_parameters', final)
    return norms


def densities(header):
    x, mean = draw(12, scale=2.0).detach(), draw(12).detach()
    log_variance = draw(12, scale=1.5).detach()
    x[0], mean[0], log_variance[0] = 0.0, 0.0, 0.0
    x[1], mean[1], log_variance[1] = 1.5, 1.5, -12.0
    x[2], mean[2], log_variance[2] = -3.0, 40.0, 6.0
    x[3], mean[3], log_variance[3] = 1000.0, -1000.0, -6.0
    for value in (x, mean, log_variance):
        value.requires_grad_()
    density = torch.distributions.Normal(mean, torch.exp(log_variance / 2)).log_prob(x)
    density.sum().backward()
    header.array('normal_x', x)
    header.array('normal_mean', mean)
    header.array('normal_log_variance', log_variance)
    header.array('normal_log_density', density)
    for name, value in (('x', x), ('mean', mean), ('log_variance', log_variance)):
        header.array(f'normal_d{name}', value.grad)

    mu, log_variance = draw(12, scale=2.0).detach(), draw(12, scale=2.0).detach()
    mu[0], log_variance[0] = 0.0, 0.0
    mu[1], log_variance[1] = 0.0, -12.0
    mu[2], log_variance[2] = 0.0, 6.0
    mu[3], log_variance[3] = 50.0, 1 / 1024
    for value in (mu, log_variance):
        value.requires_grad_()
    standard = torch.distributions.Normal(torch.zeros_like(mu), torch.ones_like(mu))
    kl = torch.distributions.kl_divergence(torch.distributions.Normal(mu, torch.exp(log_variance / 2)), standard)
    kl.sum().backward()
    header.array('kl_mu', mu)
    header.array('kl_log_variance', log_variance)
    header.array('kl_value', kl)
    header.array('kl_dmu', mu.grad)
    header.array('kl_dlog_variance', log_variance.grad)


PREAMBLE = f"""
The VAE: x -> Dense 7 relu -> Dense 6 relu -> one linear head of {LATENT} means, then {LATENT} log-variances, kept in
[{POSTERIOR[0]:g}, {POSTERIOR[1]:g}]; z = mu + exp(log_variance / 2) * eps; z -> Dense 6 relu -> Dense 7 relu -> linear mean, and
one log-variance s per feature, kept in [{DECODER[0]:g}, {DECODER[1]:g}]. Outside its limits a log-variance has no gradient.
  reconstruction = sum over features of ((x - mean)^2 / exp(s) + s + log(2 pi)) / 2
  kl = sum over units of (mu^2 + exp(log_variance) - 1 - log_variance) / 2
  loss = mean over the batch of (reconstruction + beta kl);  elbo = -(reconstruction + kl), where beta is 1
Parameters, gradients and trained parameters are one flat vector: encoder.0.weight, encoder.0.bias,
encoder.1.*, latent.*, decoder.0.*, decoder.1.*, likelihood.mean.*, likelihood.log_variance; weights
(out, in) in C order. The rows of latent.weight are the means, then the log-variances. (batch, ...) is in C
order too: one sample after another. Parameters, x and eps are multiples of 1/1024: a float holds them exactly.
Training: {STEPS} steps of Adam(lr {ADAM['lr']}, betas 0.9 and 0.999, eps 1e-8 added to the root), always the same
batch and eps. Before each step the gradient is multiplied by min(1, max_norm / (norm + 1e-6)), its norm
taken over the whole vector. train_losses[i] and train_norms[i] (before clipping) are those met at the start
of step i, train_last_loss is the loss after the last step.
"""


def build():
    header = Header('vae.py', PREAMBLE)
    for name, value in (('features', FEATURES), ('latent', LATENT), ('batch', BATCH), ('train_steps', STEPS)):
        header.integer(f'vae_{name}', value)
    for name, value in (('beta', BETA), ('train_learning_rate', ADAM['lr'])):
        header.number(f'vae_{name}', value)

    x, eps = draw(BATCH, FEATURES).detach(), draw(BATCH, LATENT).detach()
    values = extreme_parameters()
    header.section('Posterior log-variances on both sides of both limits, the log-variance of feature 1 above the upper one.')
    q = case(header, 'vae', values, x, eps)
    training(header, 'vae', values, x, eps, max_norm=1)
    raw = q['raw_log_variance']
    assert 0 < (raw[:, 0] > POSTERIOR[1]).sum() < BATCH and 0 < (raw[:, 1] < POSTERIOR[0]).sum() < BATCH

    header.section('The same, and the log-variance of feature 3 below the lower limit.')
    with torch.no_grad():
        values['likelihood.log_variance'][3] = -6.25
    case(header, 'vae_low', values, x, eps, everything=False)

    header.section('The same parameters and data without likelihood.log_variance: the variance is 1.')
    del values['likelihood.log_variance']
    case(header, 'vae_fixed', values, x, eps, everything=False)

    header.section('Ordinary parameters: no limit is met; the gradient is clipped in some steps only.')
    values = random_parameters()
    q = case(header, 'vae_plain', values, x, eps)
    norms = training(header, 'vae_plain', values, x, eps, max_norm=2)
    assert torch.equal(q['raw_log_variance'], q['log_variance'])
    assert max(norms) > 2 > min(norms)

    header.section('torch.distributions: log density of a normal, KL(N(mu, exp(log_variance)) || N(0, 1)), and gradients.')
    densities(header)
    return header


if __name__ == '__main__':
    main('vae.py', build)
