// SPDX-License-Identifier: MIT
// Without assertions, an index out of range is the nearest entry: nothing outside of the table is read.
#define UNTOWARD_ASSERT(condition, message) static_cast<void>(0)

#include "support/catch.hpp"
#include "untoward/autodiff/rules/gather.hpp"

#include <vector>

using namespace untoward;

namespace {

template <class S>
void check_clamped() {
    constexpr S inf = std::numeric_limits<S>::infinity();
    constexpr S nan = std::numeric_limits<S>::quiet_NaN();
    const std::vector<S> indices{-inf, S(-1e30), -1, 0, 1, 2, 3, S(1e30), inf, nan};
    const std::vector<S> expected{10, 10, 10, 10, 20, 30, 30, 30, 30, nan};
    const std::vector<S> table{10, 20, 30};  // of its own length, so that AddressSanitizer sees its ends
    const Seq<> shape(1, static_cast<Index>(indices.size()));
    std::vector<S> y(indices.size());
    const Tensor<const S, Seq<>> t(table.data(), Seq<>(1, 3), 1);
    const Tensor<const S, Seq<>> x(indices.data(), shape, 1);
    Gather{}.forward(Tensor<S, Seq<>>(y.data(), shape, 1), t, x);
    for (std::size_t i = 0; i < y.size(); ++i) {
        INFO(indices[i]);
        CHECK((std::isnan(expected[i]) ? std::isnan(y[i]) : y[i] == expected[i]));
    }
    // The gradient goes to the entries that were read.
    std::vector<S> gradient(3);
    std::vector<S> ones(y.size(), 1);
    Gradient<S> slot{gradient.data(), false};
    const Tensor<S, Seq<>> dy(ones.data(), shape, 1);
    Gather{}.backward(dy, dy, t, x, Sink(&slot, t.shape(), 1), Sink<S, Seq<>>(nullptr, shape, 1));
    CHECK(gradient == std::vector<S>{4, 1, 4});
}

}  // namespace

TEST_CASE("indices out of range, in double") {
    check_clamped<double>();
}
TEST_CASE("indices out of range, in float") {
    check_clamped<float>();
}
