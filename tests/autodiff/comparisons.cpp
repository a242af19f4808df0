// SPDX-License-Identifier: MIT
// Rules that compare: ties, infinities and NaN.
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/reduce.hpp"

using namespace untoward;

namespace {

template <class S>
constexpr S inf = std::numeric_limits<S>::infinity();
template <class S>
constexpr S nan_of = std::numeric_limits<S>::quiet_NaN();

template <class S>
struct Result {
    std::vector<S> value;
    std::vector<std::vector<S>> gradients;
};

// A function of vectors, and the gradient of the sum of its result for each of them.
template <class S, class Function, class... X>
Result<S> evaluate(const Function& function, const X&... x) {
    Buffer<std::byte> memory(1 << 16);
    Arena arena(memory);
    Tape<S> tape(arena, nullptr, nullptr, {}, Pass{});
    Record<S> scope(tape);
    const std::tuple inputs{
        scope.variable(Tensor<const S, Vec<>>(x.data(), Vec<>(static_cast<Index>(x.size())), 1))...};
    const auto y = std::apply([&](const auto&... v) { return function(scope, v...); }, inputs);
    tape.backward(sum(scope, y));
    Result<S> result{{y.value().data(), y.value().data() + y.value().size()}, {}};
    const auto keep = [&](const auto& v) {
        const auto g = tape.gradient_of(v);
        result.gradients.emplace_back(g.data(), g.data() + g.size());
    };
    std::apply([&](const auto&... v) { (keep(v), ...); }, inputs);
    return result;
}

// Equal, where NaN equals NaN.
template <class S>
bool same(const std::vector<S>& a, const std::vector<S>& b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (!(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))) return false;
    }
    return true;
}

const auto larger = [](auto& s, const auto& a, const auto& b) { return maximum(s, a, b); };
const auto smaller = [](auto& s, const auto& a, const auto& b) { return minimum(s, a, b); };

template <class S>
void check_two() {
    // Nine of each, so that both Eigen's packets and what is left over meet them.
    const auto each = [](S a, S b, S largest, S smallest, S share_of_largest) {
        INFO(a << " and " << b);
        const std::vector<S> p(9, a);
        const std::vector<S> q(9, b);
        const auto above = evaluate<S>(larger, p, q);
        CHECK(same(above.value, std::vector<S>(9, largest)));
        const auto below = evaluate<S>(smaller, p, q);
        CHECK(same(below.value, std::vector<S>(9, smallest)));
        if (std::isnan(largest)) return;
        CHECK(above.gradients[0] == std::vector<S>(9, share_of_largest));
        CHECK(above.gradients[1] == std::vector<S>(9, 1 - share_of_largest));
        CHECK(below.gradients[0] == std::vector<S>(9, 1 - share_of_largest));
        CHECK(below.gradients[1] == std::vector<S>(9, share_of_largest));
    };
    each(1, 2, 2, 1, 0);
    each(2, -3, 2, -3, 1);
    each(5, 5, 5, 5, S(0.5));
    each(0, S(-0.0), 0, 0, S(0.5));
    each(inf<S>, 1, inf<S>, 1, 1);
    each(-inf<S>, 1, 1, -inf<S>, 0);
    each(inf<S>, inf<S>, inf<S>, inf<S>, S(0.5));
    for (const S x : {S(1), inf<S>, -inf<S>, nan_of<S>}) {
        each(nan_of<S>, x, nan_of<S>, nan_of<S>, 0);
        each(x, nan_of<S>, nan_of<S>, nan_of<S>, 0);
    }
}

template <class S>
void check_groups() {
    const auto largest = [](auto& s, const auto& x) { return max_per_sample(s, x); };
    const auto smallest = [](auto& s, const auto& x) { return min_over_channels(s, x); };
    const auto total = [](auto& s, const auto& x) { return log_sum_exp_per_sample(s, x); };

    // The first of equals takes it all.
    const std::vector<S> ties{1, 3, 2, 3, -1, 3, -1};
    CHECK(evaluate<S>(largest, ties).value == std::vector<S>{3});
    CHECK(evaluate<S>(largest, ties).gradients[0] == std::vector<S>{0, 1, 0, 0, 0, 0, 0});
    CHECK(evaluate<S>(smallest, ties).value == std::vector<S>{-1});
    CHECK(evaluate<S>(smallest, ties).gradients[0] == std::vector<S>{0, 0, 0, 0, 1, 0, 0});

    CHECK(evaluate<S>(total, std::vector<S>(9, -inf<S>)).value == std::vector<S>{-inf<S>});
    CHECK(evaluate<S>(total, std::vector<S>(9, -inf<S>)).gradients[0] == std::vector<S>(9, 0));
    for (std::size_t at = 0; at < 9; ++at) {
        INFO("element " << at);
        std::vector<S> x(9, 1);
        x[at] = nan_of<S>;
        // The NaN takes the gradient: whoever learns from it notices.
        std::vector<S> only(9, 0);
        only[at] = 1;
        for (const auto& y : {evaluate<S>(largest, x), evaluate<S>(smallest, x)}) {
            CHECK(std::isnan(y.value[0]));
            CHECK(y.gradients[0] == only);
        }
        const auto sum_with_nan = evaluate<S>(total, x);
        CHECK(std::isnan(sum_with_nan.value[0]));
        for (const S g : sum_with_nan.gradients[0]) CHECK(std::isnan(g));
        x[(at + 1) % 9] = inf<S>;
        CHECK(std::isnan(evaluate<S>(total, x).value[0]));
        x[at] = 1;
        CHECK(evaluate<S>(total, x).value[0] == inf<S>);
        CHECK(evaluate<S>(largest, x).value[0] == inf<S>);
        x[(at + 1) % 9] = std::numeric_limits<S>::max();
        CHECK(evaluate<S>(total, x).value[0] == std::numeric_limits<S>::max());
        CHECK(evaluate<S>(total, x).gradients[0][(at + 1) % 9] == 1);
        std::vector<S> one(9, -inf<S>);
        one[at] = 2;
        CHECK(evaluate<S>(total, one).value[0] == 2);
        CHECK(evaluate<S>(total, one).gradients[0][at] == 1);
    }
}

}  // namespace

TEST_CASE("the larger and the smaller of two, in double") {
    check_two<double>();
}
TEST_CASE("the larger and the smaller of two, in float") {
    check_two<float>();
}
TEST_CASE("one number for many, in double") {
    check_groups<double>();
}
TEST_CASE("one number for many, in float") {
    check_groups<float>();
}
