#!/usr/bin/python3
"""Writes distributions.hpp: densities, divergences and their gradients by torch.distributions; likelihood heads and latents.

    OMP_NUM_THREADS=1 tests/reference/distributions.py [--out FILE]

Float64 throughout; inputs are multiples of 1/1024 (see nn.py, which does the writing).
"""
import math

import numpy
import scipy.special
import torch
import torch.distributions as td
import torch.nn.functional as F

from nn import Header, draw, main

N = 12


def values(first, scale=1.0, count=N):
    """Chosen numbers, then random ones."""
    result = draw(count, scale=scale).detach()
    chosen = torch.tensor(first, dtype=torch.float64)
    result[:len(chosen)] = chosen
    assert torch.equal(torch.round(result * 1024), result * 1024)
    return result.requires_grad_()


def case(header, name, function, dimensions=('element',), outputs=('element',), **inputs):
    """y = function(inputs), and the gradient of sum(y * upstream) for every input."""
    y = function(*inputs.values())
    upstream = draw(*y.shape).detach()
    (y * upstream).sum().backward()
    for key, value in inputs.items():
        header.array(f'{name}_{key}', value, dimensions if len(dimensions) == value.dim() else None)
    header.array(f'{name}_upstream', upstream)
    header.array(f'{name}_y', y, outputs if len(outputs) == y.dim() else None)
    for key, value in inputs.items():
        header.array(f'{name}_d{key}', value.grad)
    for value in inputs.values():
        value.grad = None
    return y


def bernoulli(header):
    header.section('Bernoulli: log probability of x in [0, 1] by logits, KL by logits.')
    case(header, 'bernoulli', lambda x, l: x * F.logsigmoid(l) + (1 - x) * F.logsigmoid(-l),
         x=torch.tensor([0, 1, 0, 1, 0, 1, 0.5, 0.25, 1, 0, 1, 0.75], dtype=torch.float64, requires_grad=True),
         logits=values([0, 0, 40, 40, -40, -40], 3.0))
    case(header, 'bernoulli_kl', lambda p, q: td.kl_divergence(td.Bernoulli(logits=p), td.Bernoulli(logits=q)),
         p=values([0, 0, 6, -6], 2.0), q=values([0, 5, -6, -6], 2.0))


def categorical(header):
    header.section('Categorical over 4 classes, batch 3: log probability of one-hot x (in parts), KL.')
    x = F.one_hot(torch.tensor([2, 0, 3]), 4).to(torch.float64).requires_grad_()
    logits = draw(3, 4, scale=2.0)
    case(header, 'categorical', lambda x, l: x * torch.log_softmax(l, 1), ('batch', 'class'), ('batch', 'class'), x=x,
         logits=logits)
    assert torch.allclose(td.OneHotCategorical(logits=logits).log_prob(x), (x * torch.log_softmax(logits, 1)).sum(1))
    case(header, 'categorical_kl',
         lambda p, q: td.kl_divergence(td.OneHotCategorical(logits=p), td.OneHotCategorical(logits=q)),
         ('batch', 'class'), ('batch',), p=draw(3, 4, scale=2.0), q=draw(3, 4, scale=2.0))


def laplace(header):
    header.section('Laplace by location and log-scale.')
    case(header, 'laplace', lambda x, m, s: td.Laplace(m, torch.exp(s)).log_prob(x), x=values([3, -1000, 0.5], 2.0),
         location=values([3, 1000, 0]), log_scale=values([-3, 2, 0]))
    case(header, 'laplace_kl',
         lambda m, s, n, t: td.kl_divergence(td.Laplace(m, torch.exp(s)), td.Laplace(n, torch.exp(t))),
         m=values([0, 0], 2.0), s=values([0, -3]), n=values([0.5, 0.25], 2.0), t=values([0, 2]))


def student_t(header):
    header.section("Student's t by location, log-scale and degrees of freedom.")
    degrees = values([4, 2.5, 1000, 4], 1.0)
    with torch.no_grad():
        degrees[4:] = 2.25 + degrees[4:].abs() * 3
    case(header, 'student_t', lambda x, m, s, v: td.StudentT(v, m, torch.exp(s)).log_prob(x),
         x=values([3, -1000, 0.5, 1], 2.0), location=values([3, 1000, 0, 1]), log_scale=values([-3, 2, 0]),
         degrees=degrees)
    case(header, 'student_t_given', lambda x, m, s: td.StudentT(4.0, m, torch.exp(s)).log_prob(x),
         x=values([3, -1000, 0.5], 2.0), location=values([3, 1000, 0]), log_scale=values([-3, 2, 0]))


def poisson(header):
    header.section('Poisson by log-rate; counts, and numbers between for the gradient.')
    counts = torch.tensor([0, 1, 2, 5, 0, 40, 1000, 3, 0.5, 12.25, 7, 1], dtype=torch.float64, requires_grad=True)
    case(header, 'poisson', lambda x, l: td.Poisson(torch.exp(l), validate_args=False).log_prob(x), x=counts,
         log_rate=values([0, 0, -10, 2, 7, 3.5, 6.875]))
    case(header, 'poisson_kl', lambda p, q: td.kl_divergence(td.Poisson(torch.exp(p)), td.Poisson(torch.exp(q))),
         p=values([0, 3, -10]), q=values([0.5, 2, 2]))


def normal(header):
    header.section('KL of two normals by mean and log-variance.')
    case(header, 'normal_pair_kl',
         lambda m, l, n, k: td.kl_divergence(td.Normal(m, torch.exp(l / 2)), td.Normal(n, torch.exp(k / 2))),
         m=values([0, 1, 40], 2.0), l=values([0, -12, 6]), n=values([0.5, -1, -3], 2.0), k=values([1, 3, -6]))


def lower(factor):
    """Packed: logarithms of the diagonal, then the rows under it."""
    k = int(math.isqrt(2 * factor.shape[-1]))
    result = torch.diag_embed(torch.exp(factor[..., :k]))
    rows, columns = numpy.tril_indices(k, -1)
    below = torch.zeros_like(result)
    below[..., rows, columns] = factor[..., k:]
    return result + below


def multivariate_normal(header):
    header.section('Normal of 3 elements with a packed Cholesky factor, batch 4: log density, KL to another and to N(0, I).')
    case(header, 'multivariate', lambda x, m, f: td.MultivariateNormal(m, scale_tril=lower(f)).log_prob(x),
         ('batch', 'element'), ('batch',), x=draw(4, 3, scale=2.0), mean=draw(4, 3), factor=draw(4, 6))
    case(header, 'multivariate_kl',
         lambda m, l, n, p: td.kl_divergence(td.MultivariateNormal(m, scale_tril=lower(l)),
                                             td.MultivariateNormal(n, scale_tril=lower(p))),
         ('batch', 'element'), ('batch',), m=draw(4, 3), l=draw(4, 6), n=draw(4, 3), p=draw(4, 6, scale=0.5))
    standard = td.MultivariateNormal(torch.zeros(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    case(header, 'multivariate_standard_kl',
         lambda m, f: td.kl_divergence(td.MultivariateNormal(m, scale_tril=lower(f)), standard), ('batch', 'element'),
         ('batch',), m=draw(4, 3), f=draw(4, 6))


def mixture(header):
    header.section('Mixture of a normal, a Laplace and a t (4 degrees of freedom) over 2 elements, batch 3.')

    def density(x, logits, mean, log_variance, location, log_scale, centre, log_width):
        parts = [td.Normal(mean, torch.exp(log_variance / 2)), td.Laplace(location, torch.exp(log_scale)),
                 td.StudentT(4.0, centre, torch.exp(log_width))]
        each = torch.stack([part.log_prob(x).sum(1) for part in parts], 1)
        return torch.logsumexp(torch.log_softmax(logits, 1) + each, 1)

    case(header, 'mixture', density, ('batch', 'element'), ('batch',), x=draw(3, 2, scale=3.0), logits=draw(3, 3),
         mean=draw(3, 2), log_variance=draw(3, 2), location=draw(3, 2), log_scale=draw(3, 2), centre=draw(3, 2),
         log_width=draw(3, 2))


def special(header):
    header.section('scipy.special.gammaln and digamma.')
    points = numpy.concatenate([numpy.array([1e-6, 1e-3, 0.0625, 0.25, 0.5, 0.75, 1, 1.25, 1.4375, 1.5, 2, 2.5, 3, 4.75]),
                                numpy.array([7.5, 11.9375, 12, 12.5, 13, 20, 50, 171, 1000.5, 1e5, 1e9])])
    header.array('special_x', points)
    header.array('special_log_gamma', scipy.special.gammaln(points))
    header.array('special_digamma', scipy.special.digamma(points))


HIDDEN, FEATURES, BATCH = 4, 3, 5


def heads(header):
    header.section(f"""Likelihood heads: from a decoder's output h (batch {BATCH}, {HIDDEN}) to log densities of x (batch {BATCH}, {FEATURES}),
with the parameters in layout order, and the expectation.""")

    def linear(h, weight, bias):
        return F.linear(h, weight, bias)

    def inputs():
        return dict(h=draw(BATCH, HIDDEN), x=draw(BATCH, FEATURES, scale=2.0), weight=draw(FEATURES, HIDDEN),
                    bias=draw(FEATURES))

    def head(name, density, expectation, **others):
        arguments = {**inputs(), **others}
        case(header, name, density, x_dimensions, x_dimensions, **arguments)
        header.array(f'{name}_expectation', expectation(*arguments.values()))

    x_dimensions = ('batch', 'feature')
    scale = values([-3.5, 2.25, 0.25], count=FEATURES)  # under, over and within its range
    head('head_laplace', lambda h, x, w, b, s: td.Laplace(linear(h, w, b), torch.exp(s.clamp(-3, 2))).log_prob(x),
         lambda h, x, w, b, s: linear(h, w, b), scale=scale)
    scale = values([-3.5, 2.25, 0.25], count=FEATURES)
    head('head_student_t',
         lambda h, x, w, b, s: td.StudentT(4.0, linear(h, w, b), torch.exp(s.clamp(-3, 2))).log_prob(x),
         lambda h, x, w, b, s: linear(h, w, b), scale=scale)
    variance_bias = values([-9, 6, 0.25], count=FEATURES)
    head('head_heteroscedastic',
         lambda h, x, w, b, w2, b2: td.Normal(linear(h, w, b), torch.exp(linear(h, w2, b2).clamp(-6, 4) / 2)).log_prob(x),
         lambda h, x, w, b, w2, b2: linear(h, w, b), variance_weight=draw(FEATURES, HIDDEN), variance_bias=variance_bias)
    zeros_and_ones = (draw(BATCH, FEATURES).detach() > 0).to(torch.float64).requires_grad_()
    head('head_bernoulli',
         lambda h, x, w, b: x * F.logsigmoid(linear(h, w, b)) + (1 - x) * F.logsigmoid(-linear(h, w, b)),
         lambda h, x, w, b: torch.sigmoid(linear(h, w, b)), x=zeros_and_ones)
    one_hot = F.one_hot(torch.arange(BATCH) % FEATURES, FEATURES).to(torch.float64).requires_grad_()
    head('head_categorical', lambda h, x, w, b: x * torch.log_softmax(linear(h, w, b), 1),
         lambda h, x, w, b: torch.softmax(linear(h, w, b), 1), x=one_hot)
    counts = torch.arange(BATCH * FEATURES).reshape(BATCH, FEATURES).to(torch.float64).requires_grad_()
    head('head_poisson',
         lambda h, x, w, b: td.Poisson(torch.exp(linear(h, w, b).clamp(-10, 7)), validate_args=False).log_prob(x),
         lambda h, x, w, b: torch.exp(linear(h, w, b).clamp(-10, 7)), x=counts, bias=values([-12, 8, 0.5], count=FEATURES))


def correlated_latent(header):
    header.section('A latent with a full covariance: 4 inputs, 3 units, batch 5; z of eps, and the KL of every sample.')
    k = 3
    h, eps = draw(5, 4), draw(5, k)
    weight, bias = draw(k + k * (k + 1) // 2, 4, scale=0.5), draw(k + k * (k + 1) // 2)
    with torch.no_grad():
        bias[k], bias[k + 1] = -7.5, 4.5  # beyond the range of the diagonal, in most samples
    head = F.linear(h, weight, bias)
    mean, factor = head[:, :k], head[:, k:]
    tril = lower(torch.cat([factor[:, :k].clamp(-6, 3), factor[:, k:]], 1))
    z = mean + (tril @ eps.unsqueeze(2)).squeeze(2)
    standard = td.MultivariateNormal(torch.zeros(k, dtype=torch.float64), torch.eye(k, dtype=torch.float64))
    kl = td.kl_divergence(td.MultivariateNormal(mean, scale_tril=tril), standard)
    upstream_z, upstream_kl = draw(5, k).detach(), draw(5).detach()
    ((z * upstream_z).sum() + (kl * upstream_kl).sum()).backward()
    assert 0 < (factor[:, 0] < -6).sum() and 0 < (factor[:, 1] > 3).sum()
    for name, value in (('h', h), ('eps', eps), ('weight', weight), ('bias', bias)):
        header.array(f'correlated_{name}', value)
        header.array(f'correlated_d{name}', value.grad)
    header.array('correlated_z', z, ('batch', 'K'))
    header.array('correlated_kl', kl, ('batch',))
    header.array('correlated_log_variance', torch.log((tril ** 2).sum(2)), ('batch', 'K'))
    header.array('correlated_upstream_z', upstream_z)
    header.array('correlated_upstream_kl', upstream_kl)


def autoencoder(header):
    header.section("""A plain autoencoder: 5 -> 7 relu -> code of 2 -> 6 relu -> 5, squared error with the constants of a normal of
variance 1, sum over features, mean over the batch of 4; all parameters and their gradient in layout order.""")
    sizes = [(7, 5), (2, 7), (6, 2), (5, 6)]
    parameters = []
    for outputs, inputs in sizes:
        parameters += [draw(outputs, inputs, scale=1 / math.sqrt(inputs)), draw(outputs, scale=0.2)]
    x = draw(4, 5).detach()
    h = torch.relu(F.linear(x, *parameters[0:2]))
    code = F.linear(h, *parameters[2:4])
    reconstruction = F.linear(torch.relu(F.linear(code, *parameters[4:6])), *parameters[6:8])
    loss = (0.5 * (x - reconstruction) ** 2 + 0.5 * math.log(2 * math.pi)).sum(1).mean()
    loss.backward()
    header.array('autoencoder_parameters', torch.cat([p.detach().reshape(-1) for p in parameters]))
    header.array('autoencoder_x', x, ('batch', 'feature'))
    header.number('autoencoder_loss', loss)
    header.array('autoencoder_code', code, ('batch', 'K'))
    header.array('autoencoder_reconstruction', reconstruction, ('batch', 'feature'))
    header.array('autoencoder_gradient', torch.cat([p.grad.reshape(-1) for p in parameters]))


PREAMBLE = """
<case>_<input>, <case>_upstream, <case>_y, and <case>_d<input>: the gradient of sum(y * upstream). Scales and variances are given by
their logarithms. (batch, ...) is in C order: one sample after another.
"""


def build():
    header = Header('distributions.py', PREAMBLE)
    for write in (normal, bernoulli, categorical, laplace, student_t, poisson, multivariate_normal, mixture, special, heads,
                  correlated_latent, autoencoder):
        write(header)
    return header


if __name__ == '__main__':
    main('distributions.py', build)
