// SPDX-License-Identifier: MIT
#pragma once

// A layer's values and gradients against PyTorch's (tests/reference/nn.py), in double and in float.

#include <cmath>
#include <span>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/gradient_check.hpp"

namespace torch {

using namespace untoward;

using Numbers = std::span<const double>;

struct Case {
    Index batch;
    Numbers x;
    std::vector<Numbers> parameters;  // in layout order
    Numbers upstream;
    Numbers y;
    Numbers dx;
    std::vector<Numbers> gradients;
};

// The sum of y * upstream.
struct Weighted {
    template <class Scope, class Y, class U>
    constexpr auto operator()(Scope& scope, const Y& y, const U& upstream) const {
        const auto product = multiply(scope, y, upstream);
        return scope.apply(Total{}, product);
    }

private:
    struct Total {
        constexpr Vec<1> shape(const auto&) const { return {}; }
        constexpr Index batch(Index) const { return 1; }
        void forward(auto y, auto x) const { y(0, 0) = x.flat().sum(); }
        void backward(auto dy, auto, auto, auto dx) const {
            dx.write([&](const auto& to, bool) { to.flat().setConstant(dy(0, 0)); });
        }
    };
};

template <class S>
std::vector<S> as(Numbers x) {
    return std::vector<S>(x.begin(), x.end());
}

template <class S>
void require_equal(const S* values, Numbers expected, double tolerance) {
    double scale = 0;
    for (const double e : expected) scale = std::max(scale, std::abs(e));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        INFO(i);
        // Sums of terms as large as the largest element cancel in the small ones.
        REQUIRE(std::abs(static_cast<double>(values[i]) - expected[i]) <=
                tolerance * std::max(std::abs(expected[i]), 0.1 * scale));
    }
}

template <class S, class Layer, class Sample>
void check(const Layer& layer, const Sample& shape, const Case& c) {
    const double tolerance = sizeof(S) == 8 ? 1e-10 : 1e-5;
    const Cursor size = measure(layer, shape);
    std::vector<S> parameters;
    for (const Numbers& p : c.parameters) parameters.insert(parameters.end(), p.begin(), p.end());
    REQUIRE(static_cast<Index>(parameters.size()) == size.scalars);
    REQUIRE(shape.size() * c.batch == static_cast<Index>(c.x.size()));
    std::vector<S> gradient(parameters.size());
    const auto x = as<S>(c.x);
    const auto upstream = as<S>(c.upstream);

    Buffer<std::byte> memory(1 << 22);
    Arena arena(memory);
    Tape<S> tape(arena, parameters.data(), gradient.data(), size, Pass{});
    Record<S> scope(tape);
    const auto input = scope.variable(Tensor<const S, Sample>(x.data(), shape, c.batch));
    const auto y = layer(scope, input);
    require_equal(y.value().data(), c.y, tolerance);
    using Output = std::remove_cvref_t<decltype(y.shape())>;
    const auto weights = scope.input(Tensor<const S, Output>(upstream.data(), y.shape(), c.batch));
    tape.backward(Weighted{}(scope, y, weights));
    require_equal(tape.gradient_of(input).data(), c.dx, tolerance);
    const S* g = gradient.data();
    for (const Numbers& expected : c.gradients) {
        require_equal(g, expected, tolerance);
        g += expected.size();
    }
}

template <class Layer, class Sample>
void check_both(const Layer& layer, const Sample& shape, const Case& c) {
    check<double>(layer, shape, c);
    check<float>(layer, shape, c);
}

}  // namespace torch
