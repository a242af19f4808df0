// SPDX-License-Identifier: MIT
// Elementwise functions: PyTorch's values and derivatives, and what happens at the ends of the number line.
#include <cmath>
#include <limits>
#include <vector>

#include "reference/nn.hpp"
#include "reference/rules.hpp"
#include "support/catch.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/rules/elementwise.hpp"
#include "untoward/autodiff/rules/reduce.hpp"

using namespace untoward;
namespace ref = untoward::reference;

namespace {

template <class S>
struct Curve {
    std::vector<S> value;
    std::vector<S> slope;
};

// A rule at every x, and its derivative there.
template <class S, class Rule>
Curve<S> curve(const Rule& rule, const std::vector<S>& x) {
    const Index n = static_cast<Index>(x.size());
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Tape<S> tape(arena, nullptr, nullptr, {}, Pass{});
    Record<S> scope(tape);
    const auto input = scope.variable(Tensor<const S, Vec<>>(x.data(), Vec<>(n), 1));
    const auto y = scope.apply(rule, input);
    tape.backward(sum(scope, y));
    const auto gradient = tape.gradient_of(input);
    Curve<S> result;
    for (Index i = 0; i < n; ++i) {
        result.value.push_back(y.value()(i, 0));
        result.slope.push_back(gradient(i, 0));
    }
    return result;
}

template <class S, class Rule, std::size_t N>
void compare(const Rule& rule, const double (&x)[N], const double (&value)[N],
             const double (&derivative)[N]) {
    // Float: each number alone, since many are outside its range.
    std::vector<S> at;
    for (const double v : x) at.push_back(static_cast<S>(v));
    const Curve<S> result = curve<S>(rule, at);
    const auto close = [](S got, double expected, double x_i) {
        if (std::abs(expected) > static_cast<double>(std::numeric_limits<S>::max())) {
            CHECK((got > 0 ? got >= S(1e38) : got <= S(-1e38)));  // the largest number or infinity
            return;
        }
        // Half a unit of x changes exp(x) by |x| / 2 units.
        const double relative = sizeof(S) == 8 ? 1e-12 : 1e-6 * std::max(1.0, std::abs(x_i));
        // Derivatives from the output lose what 1 - y rounds away.
        const double absolute = std::max(4.0 * static_cast<double>(std::numeric_limits<S>::epsilon()),
                                         static_cast<double>(std::numeric_limits<S>::min()));
        INFO("at " << x_i << ": " << got << ", expected " << expected);
        CHECK(std::isfinite(got));
        CHECK(std::abs(static_cast<double>(got) - expected) <= relative * std::abs(expected) + absolute);
    };
    for (std::size_t i = 0; i < N; ++i) {
        if (std::abs(x[i]) < static_cast<double>(std::numeric_limits<S>::min()) && x[i] != 0) continue;
        if (std::abs(x[i]) > static_cast<double>(std::numeric_limits<S>::max())) continue;
        close(result.value[i], value[i], x[i]);
        close(result.slope[i], derivative[i], x[i]);
    }
}

template <class Rule, std::size_t N>
void compare_both(const Rule& rule, const double (&x)[N], const double (&value)[N],
                  const double (&derivative)[N]) {
    compare<double>(rule, x, value, derivative);
    compare<float>(rule, x, value, derivative);
}

template <class S>
void check_ends() {
    constexpr S inf = std::numeric_limits<S>::infinity();
    constexpr S nan = std::numeric_limits<S>::quiet_NaN();
    constexpr S max = std::numeric_limits<S>::max();
    constexpr S tiny = std::numeric_limits<S>::denorm_min();
    // Nine of each, so that both Eigen's packets and what is left over meet them.
    const auto each = [](auto rule, S x, S expected, S slope) {
        const Curve<S> result = curve<S>(rule, std::vector<S>(9, x));
        for (std::size_t i = 0; i < 9; ++i) {
            INFO("at " << x << ", element " << i << ": " << result.value[i] << ", slope " << result.slope[i]);
            if (std::isnan(expected)) {
                CHECK(std::isnan(result.value[i]));
            } else {
                CHECK((result.value[i] == expected ||
                       std::abs(result.value[i] - expected) <= std::numeric_limits<S>::min()));
                CHECK((result.slope[i] == slope ||
                       std::abs(result.slope[i] - slope) <= std::numeric_limits<S>::min()));
            }
        }
    };
    for (const S x : {max, inf, S(1000)}) {
        each(Activate<Sigmoid>{}, x, 1, 0);
        each(Activate<Sigmoid>{}, -x, 0, 0);
        each(Activate<Tanh>{}, x, 1, 0);
        each(Activate<Tanh>{}, -x, -1, 0);
        each(Activate<Softplus>{}, x, x, 1);
        each(Activate<Softplus>{}, -x, 0, 0);
        each(Activate<Relu>{}, x, x, 1);
        each(Activate<Relu>{}, -x, 0, 0);
        each(Activate<LeakyRelu>{}, x, x, 1);
        each(Activate<LeakyRelu>{}, -x, S(-0.01) * x, S(0.01));
        each(Activate<Elu>{}, x, x, 1);
        each(Activate<Elu>{}, -x, -1, 0);
        each(Activate<Gelu>{}, x, x, 1);
        each(Activate<Gelu>{}, -x, 0, 0);
        each(Activate<Silu>{}, x, x, 1);
        each(Activate<Silu>{}, -x, 0, 0);
        each(Abs{}, x, x, 1);
        each(Abs{}, -x, x, -1);
        each(Exp{}, -x, 0, 0);
    }
    each(Activate<Identity>{}, -max, -max, 1);
    each(Activate<LeakyRelu>{}, 0, 0, S(0.01));
    each(Activate<Elu>{}, 0, 0, 1);
    each(Activate<Gelu>{}, 0, 0, S(0.5));
    each(Activate<Silu>{}, 0, 0, S(0.5));
    each(Abs{}, 0, 0, 0);
    each(Sqrt{}, 0, 0, inf);
    each(Sqrt{}, inf, inf, 0);
    each(Sqrt{}, -1, nan, nan);
    each(Sqrt{}, nan, nan, nan);
    each(Abs{}, nan, nan, nan);
    each(Activate<LeakyRelu>{}, nan, nan, nan);
    each(Activate<Elu>{}, nan, nan, nan);
    each(Activate<Gelu>{}, nan, nan, nan);
    each(Activate<Silu>{}, nan, nan, nan);
    each(Activate<Relu>{}, 0, 0, 0);
    each(Activate<Relu>{}, tiny, tiny, 1);
    each(Exp{}, inf, inf, inf);
    each(Log{}, inf, inf, 0);
    each(Log{}, 0, -inf, inf);
    each(Activate<Relu>{}, nan, nan, nan);
    each(Activate<Sigmoid>{}, nan, nan, nan);
    each(Activate<Tanh>{}, nan, nan, nan);
    each(Activate<Softplus>{}, nan, nan, nan);
    each(Exp{}, nan, nan, nan);
    each(Log{}, nan, nan, nan);
    each(Log{}, -1, nan, nan);
    each(Square{}, nan, nan, nan);
    each(Clamp{-1, 2}, nan, nan, nan);
    each(Clamp{-1, 2}, inf, 2, 0);
    each(Clamp{-1, 2}, -inf, -1, 0);
    each(Clamp{-1, 2}, 2, 2, 1);
}

}  // namespace

TEST_CASE("values and derivatives are PyTorch's") {
    compare_both(Exp{}, ref::exp_x, ref::exp_value, ref::exp_derivative);
    compare_both(Log{}, ref::log_x, ref::log_value, ref::log_derivative);
    compare_both(Activate<Tanh>{}, ref::tanh_x, ref::tanh_value, ref::tanh_derivative);
    compare_both(Activate<Sigmoid>{}, ref::sigmoid_x, ref::sigmoid_value, ref::sigmoid_derivative);
    compare_both(Activate<Softplus>{}, ref::softplus_x, ref::softplus_value, ref::softplus_derivative);
    compare_both(Activate<LeakyRelu>{}, ref::leaky_relu_x, ref::leaky_relu_value, ref::leaky_relu_derivative);
    compare_both(Activate<Elu>{}, ref::elu_x, ref::elu_value, ref::elu_derivative);
    compare_both(Activate<Gelu>{}, ref::gelu_x, ref::gelu_value, ref::gelu_derivative);
    compare_both(Activate<Silu>{}, ref::silu_x, ref::silu_value, ref::silu_derivative);
    compare_both(Sqrt{}, ref::sqrt_x, ref::sqrt_value, ref::sqrt_derivative);
    compare_both(Abs{}, ref::abs_x, ref::abs_value, ref::abs_derivative);
}

TEST_CASE("the ends of the number line, in double") {
    check_ends<double>();
}
TEST_CASE("the ends of the number line, in float") {
    check_ends<float>();
}
