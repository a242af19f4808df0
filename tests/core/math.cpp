// SPDX-License-Identifier: MIT
// Elementary functions against the C library's in the next wider format, over all exponents, and at their edges: one by
// one, and in the vectors of every instruction set that this processor has, where a * b + c may be rounded once.
#include "untoward/core/math.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "untoward/core/elementwise.hpp"
#include "untoward/core/math_circular.hpp"
#include "untoward/core/math_normal.hpp"
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

// Of both signs and all exponents, where the functions bend, and where they were found to be furthest off, in float
// and in double.
template <class S>
std::vector<S> samples() {
    constexpr std::uint64_t count = 60000;
    std::vector<S> x;
    for (const double worst :
         {-0x1.4caa8ap+2, 0x1.630902p-2, 0x1.57308ep+0, 0x1.5abedep-2, -0x1.0a111ap+2, -0x1.13a60ap+0,
          -0x1.15f88cp+0, 0x1.afbe78p-1, 0x1.028fbp-2, 0x1.62f3c866cbd23p-2, 0x1.566b2ab31cd17p+0,
          0x1.588078bac181bp-2, 0x1.5720885289bfbp-2, -0x1.096741dadad9ep+2, -0x1.0ef5deb05f00ep+0,
          -0x1.115933ff95f6cp+0, 0x1.281aaa5df0189p-1})
        x.push_back(static_cast<S>(worst));
    for (std::uint64_t i = 0; i < count; ++i) {
        if constexpr (sizeof(S) == 4) {
            constexpr std::uint64_t step = (std::uint64_t{1} << 32) / count;
            x.push_back(__builtin_bit_cast(float, static_cast<std::uint32_t>(i * step + i % 128)));
        } else {
            x.push_back(__builtin_bit_cast(double, mix64(i)));
        }
    }
    for (int i = -30000; i <= 30000; ++i) x.push_back(static_cast<S>(i) * static_cast<S>(0.0037));
    // The tail of the normal distribution, to where it is zero.
    for (int i = 0; i <= 40000; ++i) x.push_back(static_cast<S>(i) * static_cast<S>(-0.001));
    return x;
}

// Calls `meet` with what a function makes of these numbers in each way.
template <class S, class Function, class Meet>
void each_way(const Function& function, const std::vector<S>& x, const Meet& meet) {
    std::vector<S> y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = function(x[i]);
    meet(y);
    const Vec<> size(static_cast<Index>(x.size()));
    for (const InstructionSet set : available_instruction_sets()) {
        INFO("in vectors, instruction set " << static_cast<int>(set));
        const WithInstructionSet with(set);
        std::fill(y.begin(), y.end(), S(7));
        assign(Tensor<S, Vec<>>(y.data(), size, 1), function, Tensor<const S, Vec<>>(x.data(), size, 1));
        meet(y);
    }
}

template <class S, class Function, class Exact>
void check(const char* name, double bound, const Function& function, const Exact& exact) {
    INFO(name);
    const std::vector<S> x = samples<S>();
    std::vector<Wider<S>> wanted;
    for (const S each : x) wanted.push_back(exact(static_cast<Wider<S>>(each)));
    each_way(function, x, [&](const std::vector<S>& y) {
        double worst = 0;
        for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, error<S>(y[i], wanted[i]));
        CHECK(worst <= bound);
    });
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

// What math.hpp says of each.
template <class S>
void check_all() {
    check<S>(
        "exp", 1.3, [](S x) { return math::exp(x); }, [](auto x) { return std::exp(x); });
    check<S>(
        "expm1", 1.5, [](S x) { return math::expm1(x); }, [](auto x) { return std::expm1(x); });
    check<S>(
        "log", 1.1, [](S x) { return math::log(x); }, [](auto x) { return std::log(x); });
    check<S>(
        "log1p", 1.3, [](S x) { return math::log1p(x); }, [](auto x) { return std::log1p(x); });
    check<S>(
        "sigmoid", 2.5, [](S x) { return math::sigmoid(x); }, [](auto x) { return 1 / (1 + std::exp(-x)); });
    check<S>(
        "softplus", 2.3, [](S x) { return math::softplus(x); },
        [](auto x) { return std::fmax(x, decltype(x)(0)) + std::log1p(std::exp(-std::fabs(x))); });
    check<S>(
        "tanh", sizeof(S) == 4 ? 2.7 : 1.6, [](S x) { return math::tanh(x); },
        [](auto x) { return std::tanh(x); });
    check<S>(
        "gate_tanh", sizeof(S) == 4 ? 5.6 : 1.6, [](S x) { return math::gate_tanh(x); },
        [](auto x) { return std::tanh(x); });
    check<S>(
        "sqrt", 0.5, [](S x) { return math::sqrt(x); }, [](auto x) { return std::sqrt(x); });
    const double normal = sizeof(S) == 4 ? 3.1 : 3.7;
    check<S>(
        "cumulative_normal", normal, [](S x) { return math::cumulative_normal(x); },
        [](auto x) { return exact_cumulative_normal(x); });
    check<S>(
        "normal density", 1.5, [](S x) { return math::normal(x).density; },
        [](auto x) { return exact_normal_density(x); });
}

template <class S>
struct Known {
    S x;
    S y;
};

// Down to the sign of a zero.
template <class S, class Function>
void check_edges(const char* name, const Function& function, const std::vector<Known<S>>& edges) {
    INFO(name);
    std::vector<S> x{std::numeric_limits<S>::quiet_NaN()};
    for (const Known<S>& known : edges) x.push_back(known.x);
    each_way(function, x, [&](const std::vector<S>& y) {
        CHECK(std::isnan(y[0]));
        for (std::size_t i = 0; i < edges.size(); ++i) {
            INFO("of " << edges[i].x << ": " << y[i + 1] << ", not " << edges[i].y);
            if (std::isnan(edges[i].y))
                CHECK(std::isnan(y[i + 1]));
            else
                CHECK((y[i + 1] == edges[i].y && std::signbit(y[i + 1]) == std::signbit(edges[i].y)));
        }
    });
}

}  // namespace

TEST_CASE("elementary functions, float") {
    check_all<float>();
}
TEST_CASE("elementary functions, double") {
    check_all<double>();
}

TEMPLATE_TEST_CASE("sine and cosine of a turn, near their zeros too", "", float, double) {
    using S = TestType;
    using W = Wider<S>;
    constexpr W turn = static_cast<W>(6.28318530717958647692528676655900577L);
    std::vector<S> w;
    for (std::uint32_t i = 0; i < 60000; ++i) {
        w.push_back(detail::uniform_from<S>(i * 71582u));
        w.push_back(detail::uniform_from<S>(i * 71582u) * 1000000 - 500000);
        w.push_back(static_cast<S>(static_cast<int>(i) - 30000) / 8 +
                    std::numeric_limits<S>::epsilon() * 100);
    }
    std::vector<W> sines;
    std::vector<W> cosines;
    for (const S each : w) {
        // From the nearest axis, so that the angle is small and exact.
        const W quarters = std::nearbyint(4 * static_cast<W>(each));
        const W angle = turn * (static_cast<W>(each) - quarters / 4);
        const int quarter = static_cast<int>(static_cast<long long>(quarters) & 3);
        const W along = std::cos(angle), across = std::sin(angle);
        const W at[] = {along, -across, -along, across};
        cosines.push_back(at[quarter]);
        sines.push_back(at[(quarter + 3) & 3]);
    }
    const auto compare = [&w](const auto& function, const std::vector<W>& exact) {
        each_way(function, w, [&](const std::vector<S>& found) {
            double worst = 0;
            bool within = true;
            for (std::size_t i = 0; i < w.size(); ++i) {
                worst = std::max(worst, error<S>(found[i], exact[i]));
                within = within && std::abs(found[i]) <= 1;
            }
            CHECK(worst <= 2);
            CHECK(within);
        });
    };
    compare([](S x) { return math::turn(x).cos; }, cosines);
    compare([](S x) { return math::turn(x).sin; }, sines);
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

TEMPLATE_TEST_CASE(
    "shares and states stay within their bounds, and the errors of gates in float are absolute", "", float,
    double) {
    using S = TestType;
    // Errors of no more than this.
    const auto check_bounds = [](const char* name, S low, double bound, const auto& function,
                                 const auto& exact) {
        INFO(name);
        std::vector<S> x = samples<S>();
        std::erase_if(x, [](S each) { return std::isnan(each); });
        x.push_back(std::numeric_limits<S>::infinity());
        x.push_back(-std::numeric_limits<S>::infinity());
        each_way(function, x, [&](const std::vector<S>& y) {
            double worst = 0;
            bool within = true;
            for (std::size_t i = 0; i < x.size(); ++i) {
                worst =
                    std::max(worst, std::abs(static_cast<double>(y[i]) - static_cast<double>(exact(x[i]))));
                within = within && y[i] >= low && y[i] <= 1;
            }
            CHECK(within);
            CHECK(worst <= bound);
        });
    };
    const auto share = [](S x) { return 1 / (1 + std::exp(-static_cast<Wider<S>>(x))); };
    const auto state = [](S x) { return std::tanh(static_cast<Wider<S>>(x)); };
    const bool single = sizeof(S) == 4;
    constexpr double rounding = std::numeric_limits<S>::epsilon();
    check_bounds(
        "sigmoid", 0, 1.2 * rounding, [](S x) { return math::sigmoid(x); }, share);
    check_bounds(
        "tanh", -1, 1.4 * rounding, [](S x) { return math::tanh(x); }, state);
    check_bounds(
        "gate_sigmoid", 0, single ? 1.4e-7 : 1.2 * rounding, [](S x) { return math::gate_sigmoid(x); },
        share);
    check_bounds(
        "gate_tanh", -1, single ? 2.4e-7 : 1.4 * rounding, [](S x) { return math::gate_tanh(x); }, state);
}

TEMPLATE_TEST_CASE("elementary functions: edges", "", float, double) {
    using S = TestType;
    const S inf = std::numeric_limits<S>::infinity();
    const S nan = std::numeric_limits<S>::quiet_NaN();
    const S tiny = std::numeric_limits<S>::denorm_min();
    const S zero = S(0);
    check_edges<S>("exp", [](S x) { return math::exp(x); },
                   {{-inf, 0}, {inf, inf}, {zero, 1}, {-zero, 1}, {tiny, 1}, {-tiny, 1}});
    check_edges<S>("expm1", [](S x) { return math::expm1(x); },
                   {{-inf, -1}, {inf, inf}, {zero, zero}, {-zero, -zero}, {tiny, tiny}, {-tiny, -tiny}});
    check_edges<S>("log", [](S x) { return math::log(x); },
                   {{zero, -inf}, {-zero, -inf}, {1, 0}, {inf, inf}, {-inf, nan}, {-1, nan}, {-tiny, nan}});
    check_edges<S>("log1p", [](S x) { return math::log1p(x); },
                   {{-1, -inf},
                    {inf, inf},
                    {-inf, nan},
                    {-2, nan},
                    {zero, zero},
                    {-zero, -zero},
                    {tiny, tiny},
                    {-tiny, -tiny}});
    check_edges<S>("sigmoid", [](S x) { return math::sigmoid(x); },
                   {{inf, 1}, {-inf, 0}, {zero, 0.5}, {-zero, 0.5}, {tiny, 0.5}, {-tiny, 0.5}});
    check_edges<S>("softplus", [](S x) { return math::softplus(x); }, {{inf, inf}, {-inf, 0}});
    const std::vector<Known<S>> odd{{zero, zero}, {-zero, -zero}, {tiny, tiny}, {-tiny, -tiny}};
    check_edges<S>(
        "tanh", [](S x) { return math::tanh(x); }, odd);
    check_edges<S>("tanh", [](S x) { return math::tanh(x); }, {{inf, 1}, {-inf, -1}});
    check_edges<S>(
        "gate_tanh", [](S x) { return math::gate_tanh(x); }, odd);
    check_edges<S>("gate_sigmoid", [](S x) { return math::gate_sigmoid(x); },
                   {{zero, 0.5}, {-zero, 0.5}, {tiny, 0.5}, {-tiny, 0.5}});
    check_edges<S>("sqrt", [](S x) { return math::sqrt(x); },
                   {{zero, zero}, {-zero, -zero}, {inf, inf}, {-inf, nan}, {-1, nan}, {-tiny, nan}, {4, 2}});
    CHECK(std::abs(math::log(tiny) - std::log(tiny)) < S(1e-5));
    const S most = std::numeric_limits<S>::max();
    check_edges<S>("cumulative_normal", [](S x) { return math::cumulative_normal(x); },
                   {{zero, 0.5}, {-zero, 0.5}, {inf, 1}, {-inf, 0}, {most, 1}, {-most, 0}});
    check_edges<S>("normal density", [](S x) { return math::normal(x).density; },
                   {{inf, 0}, {-inf, 0}, {most, 0}, {-most, 0}});
    // The tail ends in subnormal numbers, and then in zero.
    const S last = sizeof(S) == 4 ? S(-13.9) : S(-38.2);
    CHECK(math::cumulative_normal(last) > 0);
    CHECK(math::cumulative_normal(last) < std::numeric_limits<S>::min());
    CHECK(math::cumulative_normal(S(1.02) * last) < math::cumulative_normal(last));
    CHECK(math::cumulative_normal(S(1.1) * last) == 0);
}
