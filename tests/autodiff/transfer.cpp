// SPDX-License-Identifier: MIT
// Parameters from one model to another, by path and shape.
#include "untoward/autodiff/transfer.hpp"

#include <map>
#include <string>

#include "support/allocation.hpp"
#include "support/catch.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/core/storage.hpp"
#include "untoward/nn/chain.hpp"
#include "untoward/nn/dense.hpp"

using namespace untoward;

namespace {

struct Trained {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto h = scope.call("encoder", Chain<Dense<4>, Dense<3>>{}, x);
        return scope.call("head", Dense<2>{}, h);
    }
};

// Another second layer and another head behind the same first layer.
struct Other {
    template <class Scope, class X>
    constexpr auto operator()(Scope& scope, const X& x) const {
        const auto h = scope.call("encoder", Chain<Dense<4>, Dense<2>>{}, x);
        return scope.call("top", Dense<2>{}, h);
    }
};

template <class S, class Model>
Buffer<S> first_values(const Model& model, std::uint64_t seed) {
    Buffer<S> values(measure(model, Vec<5>{}).scalars);
    initialise(values.data(), seed, model, Vec<5>{});
    return values;
}

bool equal(const auto* a, const auto* b, Index n) {
    for (Index i = 0; i < n; ++i) {
        if (static_cast<double>(a[i]) != static_cast<double>(b[i])) return false;
    }
    return true;
}

const Layout trained(Trained{}, Vec<5>{});
const Layout other(Other{}, Vec<5>{});

}  // namespace

TEST_CASE("a model gives all of itself to one like it, in another precision") {
    const auto from = first_values<float>(Trained{}, 1);
    auto to = first_values<double>(Trained{}, 2);
    CHECK_FALSE(equal(from.data(), to.data(), from.size()));
    const AllocationCount allocations;
    const TransferReport report = copy_parameters(trained, from.data(), trained, to.data());
    CHECK(allocations.since() == 0);
    CHECK(report.complete());
    CHECK(report.copied == 6);
    CHECK(report.scalars == from.size());
    CHECK(equal(from.data(), to.data(), from.size()));
}

TEST_CASE("what fits is copied, the rest stays and is told") {
    const auto from = first_values<double>(Trained{}, 1);
    auto to = first_values<double>(Other{}, 2);
    const auto before = to;
    std::map<std::string, Transfer> fates;
    const TransferReport report =
        copy_parameters(trained, from.data(), other, to.data(), {},
                        [&](const ParameterInfo& p, Transfer fate) { fates[p.path] = fate; });
    CHECK(fates == std::map<std::string, Transfer>{{"encoder.0.weight", Transfer::copied},
                                                   {"encoder.0.bias", Transfer::copied},
                                                   {"encoder.1.weight", Transfer::unlike},
                                                   {"encoder.1.bias", Transfer::unlike},
                                                   {"top.weight", Transfer::missing},
                                                   {"top.bias", Transfer::missing}});
    CHECK(report.copied == 2);
    CHECK(report.unlike == 2);
    CHECK(report.missing == 2);
    CHECK(report.scalars == 24);
    CHECK(report.unused == 4);
    CHECK_FALSE(report.complete());
    CHECK(equal(from.data(), to.data(), 24));
    CHECK(equal(before.data() + 24, to.data() + 24, to.size() - 24));
}

TEST_CASE("a part of one model becomes another part of another") {
    const auto from = first_values<double>(Trained{}, 1);
    const Layout target(Chain<Chain<Dense<4>, Dense<3>>, Dense<2>>{}, Vec<5>{});
    Buffer<double> to(target.size().scalars);
    const TransferReport report = copy_parameters(trained, from.data(), target, to.data(), {"encoder", "0"});
    CHECK(report.complete());
    CHECK(report.copied == 4);
    CHECK(report.scalars == 24 + 15);
    CHECK(equal(from.data(), to.data(), 39));
    const Buffer<double> zeros(to.size());
    CHECK(equal(to.data() + 39, zeros.data(), to.size() - 39));
    // A path ends at a dot: "enc" is no part of "encoder".
    CHECK(copy_parameters(trained, from.data(), target, to.data(), {"enc", "0"}).copied == 0);
}

TEST_CASE("names and shapes are compared when a program is compiled, where they are known") {
    constexpr bool whole = [] {
        double from[47] = {};
        double to[47] = {};
        const Layout layout(Trained{}, Vec<5>{});
        for (int i = 0; i < 47; ++i) from[i] = i + 1;
        return copy_parameters(layout, from, layout, to).complete() && to[46] == 47 && to[0] == 1;
    }();
    static_assert(whole);
}
