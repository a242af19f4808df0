// SPDX-License-Identifier: MIT
// Compiled twice, each time into a library of its own that shows one function: otherwise the linker would take
// each of Eigen's functions from one of the two.
#include "eigen_network.hpp"

#include <Eigen/Core>

namespace {

using Vector = Eigen::Map<Eigen::VectorXf>;
using ConstVector = Eigen::Map<const Eigen::VectorXf>;
// y = W x + b
template <int Order, class X>
void affine(const bench::EigenLayer& layer, const X& x, Vector& y) {
    using Weight = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Order>>;
    y.noalias() = Weight(layer.weight, layer.out, layer.in) * x;
    y += ConstVector(layer.bias, layer.out);
}

template <int Order>
float score(const bench::EigenNetwork& network, const float* sample) {
    const auto& layers = network.layers;
    const ConstVector x(sample, layers[0].in);
    float* const first = network.work[0];
    float* const second = network.work[1];

    Vector h0(first, layers[0].out);
    affine<Order>(layers[0], x, h0);
    h0 = h0.cwiseMax(0.0f);
    Vector h1(second, layers[1].out);
    affine<Order>(layers[1], h0, h1);
    h1 = h1.cwiseMax(0.0f);
    Vector heads(first, layers[2].out);
    affine<Order>(layers[2], h1, heads);

    const long units = layers[3].in;
    const auto mean = heads.head(units);
    const auto log_variance = heads.tail(units).array();
    const float kl = 0.5f * (mean.array().square() + log_variance.exp() - 1.0f - log_variance).sum();

    Vector h3(second, layers[3].out);
    affine<Order>(layers[3], mean, h3);
    h3 = h3.cwiseMax(0.0f);
    Vector h4(first, layers[4].out);
    affine<Order>(layers[4], h3, h4);
    h4 = h4.cwiseMax(0.0f);
    Vector output(second, layers[5].out);
    affine<Order>(layers[5], h4, output);
    if (network.sigmoid) output = output.array().logistic().matrix();
    return (x - output).squaredNorm() + kl;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) float BENCH_EIGEN_SCORE(const bench::EigenNetwork& network,
                                                                          const float* sample) {
    return network.columns ? score<Eigen::ColMajor>(network, sample)
                           : score<Eigen::RowMajor>(network, sample);
}
