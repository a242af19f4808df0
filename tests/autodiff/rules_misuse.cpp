// SPDX-License-Identifier: MIT
// Run-time extents that rules refuse; assertions throw here.
#include <stdexcept>
#define UNTOWARD_ASSERT(condition, message)                \
    do {                                                   \
        if (!(condition)) throw std::logic_error(message); \
    } while (false)

#include "support/catch.hpp"
#include "untoward/autodiff/rules/gather.hpp"
#include "untoward/autodiff/rules/groups.hpp"
#include "untoward/autodiff/rules/layout.hpp"
#include "untoward/autodiff/rules/matrices.hpp"
#include "untoward/autodiff/rules/pooling.hpp"
#include "untoward/autodiff/rules/rows.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("a reshaped sample keeps its size") {
    CHECK_NOTHROW(Reshape<Vec<>>{Vec<>(6)}.shape(Shape<2, Dynamic>(3)));
    CHECK_THROWS_WITH(Reshape<Vec<>>{Vec<>(5)}.shape(Shape<2, Dynamic>(3)),
                      ContainsSubstring("keeps its size"));
    CHECK_THROWS_WITH(Reshape<Vec<6>>{}.shape(Shape<2, Dynamic>(4)), ContainsSubstring("keeps its size"));
}

TEST_CASE("matrices of a product fit") {
    const MatrixProduct<true, false> product{};
    CHECK_NOTHROW(product.shape(Seq<>(4, 3), Seq<>(4, 5)));
    CHECK_THROWS_WITH(product.shape(Seq<>(3, 4), Seq<>(4, 5)), ContainsSubstring("differ"));
    CHECK_THROWS_WITH(product.shape(Image<>(4, 3, 2), Image<>(4, 5, 3)), ContainsSubstring("differ"));
}

TEST_CASE("what is concatenated has the same positions") {
    CHECK_NOTHROW(Concatenate{}.shape(Seq<>(1, 3), Seq<>(2, 3)));
    CHECK_THROWS_WITH(Concatenate{}.shape(Seq<>(1, 3), Seq<>(2, 4)), ContainsSubstring("differ"));
    CHECK_THROWS_WITH(Concatenate{}.shape(Seq<1, 3>{}, Seq<>(2, 3), Seq<>(1, 2)),
                      ContainsSubstring("differ"));
}

TEST_CASE("a table has entries, and is one for all samples") {
    CHECK_NOTHROW(Gather{}.batch(1, 3));
    CHECK_THROWS_WITH(Gather{}.batch(3, 3), ContainsSubstring("same for all"));
    CHECK_THROWS_WITH(Gather{}.shape(Seq<>(3, 0), Vec<1>{}), ContainsSubstring("has entries"));
}

TEST_CASE("windows are inside their input, factors at least one") {
    using Window = Shape<Dynamic>;
    using Pool = MaxPool<Window>;
    CHECK(Pool{{Window(3), Window(2)}}.shape(Seq<>(2, 3)).positions() == 1);
    CHECK_THROWS_WITH((Pool{{Window(4), Window(2)}}.shape(Seq<>(2, 3))),
                      ContainsSubstring("inside its input"));
    CHECK_THROWS_WITH((Pool{{Window(0), Window(1)}}.shape(Seq<>(2, 3))), ContainsSubstring("at least one"));
    // A rule whose stride was forgotten.
    CHECK_THROWS_WITH((Pool{{Window(2)}}.shape(Seq<>(2, 3))), ContainsSubstring("at least one"));
    CHECK_THROWS_WITH(Upsample<Window>{Window(0)}.shape(Seq<>(2, 3)), ContainsSubstring("at least one"));
}

TEST_CASE("an extreme is one of something") {
    CHECK_THROWS_WITH((Extreme<OverSample, true>{}.shape(Vec<>(0))),
                      ContainsSubstring("at least one element"));
    CHECK_THROWS_WITH((Extreme<OverChannels, false>{}.shape(Seq<>(0, 3))),
                      ContainsSubstring("at least one element"));
}
