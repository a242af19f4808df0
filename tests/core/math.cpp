// SPDX-License-Identifier: MIT
// Elementary functions against the C library's in the next wider format, over all exponents, and at their edges.
#include "untoward/core/math.hpp"

#include <cmath>
#include <limits>

#include "support/catch.hpp"
#include "untoward/core/philox.hpp"

using namespace untoward;

namespace {

template <class S>
using Wider = std::conditional_t<sizeof(S) == 4, double, long double>;

// In units of the last place of the exact result.
template <class S>
double error(S found, Wider<S> exact) {
    const auto rounded = static_cast<S>(exact);
    if (std::isinf(rounded) || std::isnan(rounded)) {
        const bool same = std::isnan(rounded) ? std::isnan(found) : found == rounded;
        // At the end of the range the largest number is right, too.
        return same || std::abs(found) == std::numeric_limits<S>::max() ? 0 : 1e9;
    }
    if (!std::isfinite(found)) return std::abs(rounded) == std::numeric_limits<S>::max() ? 0 : 1e9;
    const S size = std::max(std::abs(rounded), std::numeric_limits<S>::min());
    const S step = std::nextafter(size, std::numeric_limits<S>::infinity()) - size;
    return static_cast<double>(std::abs(static_cast<Wider<S>>(found) - exact) / static_cast<Wider<S>>(step));
}

template <class S>
S number_of(std::uint64_t i) {
    if constexpr (sizeof(S) == 4) {
        return __builtin_bit_cast(
            float, static_cast<std::uint32_t>(i * 21139));  // odd: no pattern of bits is left out
    } else {
        return __builtin_bit_cast(double, mix64(i));
    }
}

template <class S, class Function, class Exact>
void check(const char* name, double bound, Function function, Exact exact,
           S low = -std::numeric_limits<S>::infinity(), S high = std::numeric_limits<S>::infinity()) {
    INFO(name);
    double worst = 0;
    const auto meet = [&](S x) {
        if (x >= low && x <= high)
            worst = std::max(worst, error<S>(function(x), exact(static_cast<Wider<S>>(x))));
    };
    for (std::uint64_t i = 0; i < 60000; ++i) meet(number_of<S>(i));
    // Where the functions bend.
    for (int i = -30000; i <= 30000; ++i) meet(static_cast<S>(i) * static_cast<S>(0.0037));
    CHECK(worst <= bound);
    CHECK(std::isnan(function(std::numeric_limits<S>::quiet_NaN())));
}

// Of x / sqrt(2), and of x^2 / 2, and what their rounding left over: in the tails it would be hundreds of ulp.
template <class W>
W exact_cumulative_normal(W x) {
    constexpr auto root = static_cast<W>(0.70710678118654752440084436210484904L);
    constexpr auto root_rest = static_cast<W>(0.70710678118654752440084436210484904L - root);
    const W z = -x * root;
    const W rest = std::isinf(x) ? 0 : std::fma(-x, root, -z) - x * root_rest;
    const W slope = static_cast<W>(1.12837916709551257390L) * std::exp(-z * z);
    return (std::erfc(z) - slope * rest) / 2;
}
template <class W>
W exact_normal_density(W x) {
    const W square = x * x;
    const W rest = std::isinf(x) ? 0 : std::fma(x, x, -square);
    const W density = static_cast<W>(0.39894228040143267794L) * std::exp(-square / 2);
    return density - density * rest / 2;
}

template <class S>
void check_all(double exponential, double others, double normal) {
    check<S>(
        "exp", exponential, [](S x) { return math::exp(x); }, [](auto x) { return std::exp(x); });
    check<S>(
        "expm1", exponential, [](S x) { return math::expm1(x); }, [](auto x) { return std::expm1(x); });
    check<S>(
        "log", exponential, [](S x) { return math::log(x); }, [](auto x) { return std::log(x); });
    check<S>(
        "log1p", exponential, [](S x) { return math::log1p(x); }, [](auto x) { return std::log1p(x); });
    check<S>(
        "tanh", others, [](S x) { return math::tanh(x); }, [](auto x) { return std::tanh(x); });
    check<S>(
        "sigmoid", others, [](S x) { return math::sigmoid(x); },
        [](auto x) { return 1 / (1 + std::exp(-x)); });
    check<S>(
        "softplus", others, [](S x) { return math::softplus(x); },
        [](auto x) { return std::fmax(x, decltype(x)(0)) + std::log1p(std::exp(-std::fabs(x))); });
    check<S>(
        "cumulative_normal", normal, [](S x) { return math::cumulative_normal(x); },
        [](auto x) { return exact_cumulative_normal(x); });
    check<S>(
        "normal density", exponential, [](S x) { return math::normal(x).density; },
        [](auto x) { return exact_normal_density(x); });
    check<S>(
        "sqrt", 0.5, [](S x) { return math::sqrt(x); }, [](auto x) { return std::sqrt(x); });
    // The tails of the normal distribution, to where it is zero.
    double worst = 0;
    for (int i = 0; i <= 40000; ++i) {
        const S x = static_cast<S>(i) * static_cast<S>(-0.001);
        worst = std::max(
            worst, error<S>(math::cumulative_normal(x), exact_cumulative_normal(static_cast<Wider<S>>(x))));
    }
    CHECK(worst <= normal);
}

}  // namespace

TEST_CASE("elementary functions, float") {
    check_all<float>(1.5, 2.5, 3.2);
}
TEST_CASE("elementary functions, double") {
    check_all<double>(1.5, 2.5, 3.7);
}

TEMPLATE_TEST_CASE("sine and cosine of a turn, near their zeros too", "", float, double) {
    using S = TestType;
    using W = Wider<S>;
    constexpr W turn = static_cast<W>(6.28318530717958647692528676655900577L);
    double worst = 0;
    bool within = true;
    const auto meet = [&](S w) {
        const auto [cosine, sine] = math::turn(w);
        // From the nearest axis, so that the angle is small and exact.
        const W quarters = std::nearbyint(4 * static_cast<W>(w));
        const W angle = turn * (static_cast<W>(w) - quarters / 4);
        const int quarter = static_cast<int>(static_cast<long long>(quarters) & 3);
        const W along = std::cos(angle), across = std::sin(angle);
        const W cosines[] = {along, -across, -along, across};
        worst = std::max(worst, error<S>(cosine, cosines[quarter]));
        worst = std::max(worst, error<S>(sine, cosines[(quarter + 3) & 3]));
        within = within && std::abs(cosine) <= 1 && std::abs(sine) <= 1;
    };
    for (std::uint32_t i = 0; i < 60000; ++i) {
        meet(detail::uniform_from<S>(i * 71582u));
        meet(detail::uniform_from<S>(i * 71582u) * 1000000 - 500000);
        meet(static_cast<S>(static_cast<int>(i) - 30000) / 8 + std::numeric_limits<S>::epsilon() * 100);
    }
    CHECK(worst <= 2);
    CHECK(within);
    CHECK(math::turn(S(0)).cos == 1);
    CHECK(math::turn(S(0)).sin == 0);
    CHECK(math::turn(S(0.25)).cos == 0);
    CHECK(math::turn(S(0.25)).sin == 1);
    CHECK(math::turn(S(-0.25)).sin == -1);
    CHECK(math::turn(S(0.5)).cos == -1);
    CHECK(math::turn(std::numeric_limits<S>::denorm_min()).cos == 1);
    const S nan = std::numeric_limits<S>::quiet_NaN();
    CHECK(std::isnan(math::turn(nan).cos));
    CHECK(std::isnan(math::turn(nan).sin));
    CHECK(std::isnan(math::turn(std::numeric_limits<S>::infinity()).cos));
}

TEMPLATE_TEST_CASE("functions of gates: their errors are absolute, and they stay within bounds", "", float,
                   double) {
    using S = TestType;
    constexpr double rounding = std::numeric_limits<S>::epsilon();
    double worst_sigmoid = 0, worst_tanh = 0;
    bool within = true;
    const auto meet = [&](S x) {
        if (!(std::abs(x) <= std::numeric_limits<S>::max())) return;
        const S share = math::gate_sigmoid(x);
        const S state = math::gate_tanh(x);
        const auto wide = static_cast<Wider<S>>(x);
        const auto apart = [](S found, Wider<S> exact) {
            return static_cast<double>(std::abs(found - exact));
        };
        worst_sigmoid = std::max(worst_sigmoid, apart(share, 1 / (1 + std::exp(-wide))));
        worst_tanh = std::max(worst_tanh, apart(state, std::tanh(wide)));
        within = within && share >= 0 && share <= 1 && std::abs(state) <= 1;
    };
    for (std::uint64_t i = 0; i < 60000; ++i) meet(number_of<S>(i));
    for (int i = -30000; i <= 30000; ++i) meet(static_cast<S>(i) * static_cast<S>(0.00097));
    CHECK(worst_sigmoid < 1.2 * rounding);
    CHECK(worst_tanh < 2.1 * rounding);
    CHECK(within);
    CHECK(math::gate_sigmoid(S(0)) == S(0.5));
    CHECK(math::gate_tanh(S(0)) == 0);
    const S nan = std::numeric_limits<S>::quiet_NaN();
    CHECK(std::isnan(math::gate_sigmoid(nan)));
    CHECK(std::isnan(math::gate_tanh(nan)));
}

TEMPLATE_TEST_CASE("elementary functions: edges", "", float, double) {
    using S = TestType;
    const S infinity = std::numeric_limits<S>::infinity();
    CHECK(math::exp(-infinity) == 0);
    CHECK(math::exp(infinity) == infinity);
    CHECK(math::exp(S(0)) == 1);
    CHECK(math::expm1(-infinity) == -1);
    CHECK(math::expm1(infinity) == infinity);
    CHECK(math::log(S(0)) == -infinity);
    CHECK(math::log(S(1)) == 0);
    CHECK(math::log(infinity) == infinity);
    CHECK(std::isnan(math::log(S(-1))));
    CHECK(math::log1p(S(-1)) == -infinity);
    CHECK(math::log1p(infinity) == infinity);
    CHECK(math::tanh(infinity) == 1);
    CHECK(math::tanh(-infinity) == -1);
    CHECK(math::sigmoid(infinity) == 1);
    CHECK(math::sigmoid(-infinity) == 0);
    CHECK(math::softplus(infinity) == infinity);
    CHECK(math::softplus(-infinity) == 0);
    CHECK(std::abs(math::log(std::numeric_limits<S>::denorm_min()) -
                   std::log(std::numeric_limits<S>::denorm_min())) < S(1e-5));
    CHECK(std::signbit(math::tanh(S(-0.0))));
    CHECK(math::cumulative_normal(S(0)) == S(0.5));
    CHECK(math::cumulative_normal(S(-0.0)) == S(0.5));
    CHECK(math::cumulative_normal(infinity) == 1);
    CHECK(math::cumulative_normal(-infinity) == 0);
    CHECK(math::cumulative_normal(std::numeric_limits<S>::max()) == 1);
    CHECK(math::cumulative_normal(std::numeric_limits<S>::lowest()) == 0);
    CHECK(math::normal(infinity).density == 0);
    CHECK(math::normal(-infinity).density == 0);
    // The tail ends in subnormal numbers, and then in zero.
    const S last = sizeof(S) == 4 ? S(-13.9) : S(-38.2);
    CHECK(math::cumulative_normal(last) > 0);
    CHECK(math::cumulative_normal(last) < std::numeric_limits<S>::min());
    CHECK(math::cumulative_normal(S(1.02) * last) < math::cumulative_normal(last));
    CHECK(math::cumulative_normal(S(1.1) * last) == 0);
}
