// SPDX-License-Identifier: MIT
// A batch of no samples computes nothing, and gives parameters a gradient of zero.
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/rules/arithmetic.hpp"
#include "untoward/autodiff/rules/gather.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/matrices.hpp"
#include "untoward/autodiff/rules/pooling.hpp"
#include "untoward/autodiff/rules/reduce.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/autodiff/rules/softmax.hpp"

using namespace untoward;

namespace {

// function(scope, x, parameter) where x has no samples, for a gradient that is not zero before.
template <class Function, class Sample, class Parameter>
void check_empty(const Function& function, const Sample& shape, const Parameter& of_parameter) {
    const std::size_t size = static_cast<std::size_t>(of_parameter.size());
    const std::vector<double> parameters(size, 1);
    std::vector<double> gradient(size, 7);
    Buffer<std::byte> memory(1 << 14);
    Arena arena(memory);
    Tape<double> tape(arena, parameters.data(), gradient.data(), Cursor{of_parameter.size(), 1}, Pass{});
    Record<double> scope(tape);
    const auto p = scope.parameter("p", of_parameter, Constant{1});
    const auto x = scope.variable(Tensor<const double, Sample>(parameters.data(), shape, 0));
    const auto y = function(scope, x, p);
    CHECK(y.batch() == 0);
    const auto loss = sum(scope, y);
    CHECK(loss.scalar() == 0);
    tape.backward(loss);
    CHECK(tape.gradient_of(x).size() == 0);
    CHECK(gradient == std::vector<double>(size, 0));
}

}  // namespace

TEST_CASE("rules of a value and a parameter") {
    check_empty([](auto& s, const auto& x, const auto& p) { return matrix_product(s, x, p); }, Seq<2, 3>{},
                Seq<3, 4>{});
    check_empty([](auto& s, const auto& x, const auto& p) { return matrix_product<true, true>(s, p, x); },
                Seq<2, 3>{}, Seq<3, 4>{});
    check_empty([](auto& s, const auto& x, const auto& p) { return gather(s, p, x); }, Seq<1, 3>{},
                Seq<3, 4>{});
    check_empty([](auto& s, const auto& x, const auto& p) { return concatenate(s, x, p); }, Seq<2, 3>{},
                Seq<1, 3>{});
    check_empty([](auto& s, const auto& x, const auto& p) { return concatenate(s, p, x); }, Vec<2>{},
                Vec<3>{});
    check_empty([](auto& s, const auto& x, const auto& p) { return divide(s, x, p); }, Vec<3>{}, Vec<3>{});
    check_empty([](auto& s, const auto& x, const auto& p) { return maximum(s, p, x); }, Vec<3>{}, Vec<3>{});
}

TEST_CASE("rules of one value") {
    const auto check = [](const auto& function) {
        const auto with_parameter = [&](auto& s, const auto& x, const auto& p) {
            const auto y = function(s, x);
            const auto reduced = sum_per_sample(s, y);
            return multiply(s, reduced, p);
        };
        check_empty(with_parameter, Seq<3, 4>{}, Vec<1>{});
    };
    check([](auto& s, const auto& x) { return softmax(s, x); });
    check([](auto& s, const auto& x) { return log_softmax(s, x); });
    check([](auto& s, const auto& x) { return log_sum_exp_per_sample(s, x); });
    check([](auto& s, const auto& x) { return max_over_channels(s, x); });
    check([](auto& s, const auto& x) { return transpose(s, x); });
    check([](auto& s, const auto& x) { return reverse(s, x); });
    check([](auto& s, const auto& x) { return reshape(s, x, Vec<12>{}); });
    check([](auto& s, const auto& x) { return max_pool(s, x, Shape<2>{}); });
    check([](auto& s, const auto& x) { return average_pool(s, x, Shape<2>{}); });
    check([](auto& s, const auto& x) { return upsample(s, x, Shape<2>{}); });
}
