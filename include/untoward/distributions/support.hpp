// SPDX-License-Identifier: MIT
#pragma once

#include "../core/elementwise.hpp"
#include "../core/sums.hpp"

// What rules of several distributions share.

namespace untoward UNTOWARD_SETTING::detail {

/// Data outside of a distribution's support has no density. It takes that of the nearest edge, less what a
/// normal distribution of this deviation loses on the way: never more normal than the edge it crossed, and
/// the stranger the farther. In the data's units: of a range [0, 1], or of counts.
inline constexpr double outside_deviation = 0.1;
inline constexpr double outside_curvature = 1 / (outside_deviation * outside_deviation);

/// x kept in [low, high]; a NaN stays one.
template <class S>
constexpr S kept_within(S x, S low, S high) {
    return x < low ? low : x > high ? high : x;
}
/// 1, 0 or -1; a NaN stays one.
template <class S>
constexpr S sign(S x) {
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

/// Adds to a sink sample by sample: add(sample, column of the sink's gradient), where several samples of the
/// batch meet one column if the input was broadcast.
template <class Sink, class Add>
void add_by_sample(const Sink& sink, Index batch, const Add& add) {
    sink.write([&](const auto& to, bool accumulate) {
        if (!accumulate) to.flat().setZero();
        for (Index j = 0; j < batch; ++j) add(j, to.column(broadcast_column(to, j)));
    });
}

/// function(channels of x...) at every position of sample j, as arrays. A tensor with a batch of one is met by
/// every sample.
template <class Function, class... X>
void at_positions(Index j, Index rows, Index channels, const Function& function, const X&... x) {
    for (Index i = 0; i < rows; i += channels) {
        function(typename X::FlatMap(&x(i, broadcast_column(x, j)), channels)...);
    }
}
/// The same for a sink: function(channels of the gradient, channels of x...) adds.
template <class Sink, class Function, class... X>
void add_at_positions(const Sink& sink, Index batch, const Function& function, const X&... x) {
    sink.write([&](const auto& to, bool accumulate) {
        if (!accumulate) to.flat().setZero();
        for (Index j = 0; j < batch; ++j) {
            at_positions(j, to.rows(), to.shape().channels(), function, to, x...);
        }
    });
}

/// The same positions, one channel.
template <Index C, Index... Positions>
constexpr auto one_channel(const Shape<C, Positions...>& shape) {
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
        return Shape<1, Positions...>(1, shape.template extent<I + 1>()...);
    }
    (std::make_index_sequence<sizeof...(Positions)>{});
}

/// log sum exp(x)
template <class X>
auto log_sum_exp(const X& x) {
    const typename X::Scalar largest = x.maxCoeff();
    return largest + math::log(sum_of_elements(exponentials(x - largest)));
}
/// exp(x) / sum exp(x)
template <class X>
auto shares(const X& x) {
    return exponentials(x - log_sum_exp(x));
}

/// The class that u in (0, 1) falls on, by inverse CDF of softmax(logits).
template <class Logits, class S>
Index class_at(const Logits& logits, S u) {
    Index most_likely = 0;
    const S largest = logits.maxCoeff(&most_likely);
    const S target = u * sum_of_elements(exponentials(logits - largest));
    S reached = 0;
    for (Index c = 0; c < logits.size(); ++c) {
        reached += math::exp(logits[c] - largest);
        if (target < reached) return c;
    }
    return most_likely;  // rounding at the end of the sum, or a NaN
}

/// centre + exp(log_scale) noise: a reparameterised draw of a location-scale family.
struct LocationScale {
    constexpr auto shape(const auto& centre, const auto& log_scale, const auto& noise) const {
        return broadcast<LocationScale>(centre, log_scale, noise);
    }
    void forward(auto y, auto centre, auto log_scale, auto noise) const {
        assign(
            y, [](auto m, auto s, auto e) { return m + math::exp(s) * e; }, centre, log_scale, noise);
    }
    void backward(auto dy, auto, auto, auto log_scale, auto noise, auto dcentre, auto dlog_scale,
                  auto dnoise) const {
        dcentre.add([](auto d) { return d; }, dy);
        dlog_scale.add([](auto d, auto s, auto e) { return d * math::exp(s) * e; }, dy, log_scale, noise);
        dnoise.add([](auto d, auto s) { return d * math::exp(s); }, dy, log_scale);
    }
};

}  // namespace untoward::detail
