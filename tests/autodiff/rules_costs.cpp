// SPDX-License-Identifier: MIT
// What a model of rules costs is known to the compiler, to the byte.
#include "support/property.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/matrices.hpp"
#include "untoward/autodiff/rules/pooling.hpp"
#include "untoward/autodiff/rules/rows.hpp"
#include "untoward/autodiff/rules/softmax.hpp"

using namespace untoward;

namespace {

// Rules that are views, that move, reduce and multiply.
struct Everything {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto pooled = max_pool(scope, x, Shape<2>{});             // 4 x 3
        const auto repeated = upsample(scope, pooled, Shape<2>{});      // 4 x 6
        const auto both = concatenate(scope, x, repeated);              // 8 x 6
        const auto weights = softmax(scope, both);                      // 8 x 6
        const auto turned = transpose(scope, weights);                  // 6 x 8
        const auto product = matrix_product(scope, both, turned, 0.5);  // 8 x 8
        const auto back = reverse(scope, product);                      // 8 x 8
        const auto apart = reshape(scope, back, Shape<4, 2, 8>{});
        const auto largest = max_over_channels(scope, apart);  // 1 x 2 x 8
        return log_sum_exp_per_sample(scope, largest);
    }
};

// Of so many floats in the arena.
constexpr std::size_t lines(std::size_t n) {
    return (n * sizeof(float) + storage_alignment - 1) / storage_alignment * storage_alignment;
}

}  // namespace

TEST_CASE("multiply-adds and bytes are constants") {
    constexpr Counts counts = count<float>(Everything{}, 1, Seq<4, 6>{});
    STATIC_REQUIRE(counts.multiply_adds == 8 * 6 * 8);
    STATIC_REQUIRE(counts.run_bytes ==
                   lines(12) + lines(24) + 3 * lines(48) + 2 * lines(64) + lines(16) + lines(1));
}

TEST_CASE("and what they promise holds") {
    property::check_properties(Everything{}, {.batch = 2}, Seq<4, 6>{});
}
