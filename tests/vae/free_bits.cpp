// SPDX-License-Identifier: MIT
#include <algorithm>
#include <vector>

#include "support/catch.hpp"
#include "untoward/autodiff/count.hpp"
#include "untoward/autodiff/initialiser.hpp"
#include "untoward/autodiff/record.hpp"
#include "untoward/autodiff/run.hpp"
#include "untoward/vae/elbo.hpp"

using namespace untoward;

namespace {

constexpr Index batch = 6;
using Model = Vae<Vec<4>, Encoder<Dense<5, Tanh>>, Latent<3>, Decoder<Dense<5, Tanh>>, Gaussian>;
using Loss = NegativeElboLoss<Model>;

struct Outcome {
    double loss, reconstruction, kl;
    std::vector<double> gradient, kl_of_units;
};

Outcome pass(const Loss& loss) {
    const Cursor size = measure(loss, Vec<4>{});
    std::vector<double> parameters(static_cast<std::size_t>(size.scalars));
    initialise(parameters.data(), 4, loss.model, Vec<4>{});
    std::vector<double> x(4 * batch);
    fill_normal(x.data(), static_cast<Index>(x.size()), NoiseKey{.seed = 2});
    const std::uint32_t ids[batch] = {0, 1, 2, 3, 4, 5};
    const Pass training{.training = true, .seed = 1, .samples = ids};
    Outcome outcome{0, 0, 0, std::vector<double>(parameters.size()), std::vector<double>(3, 0.0)};
    Buffer<std::byte> memory(static_cast<Index>(count<double>(loss, batch, Vec<4>{}).record_bytes));
    {
        Arena arena(memory);
        Tape<double> tape(arena, parameters.data(), outcome.gradient.data(), size, training);
        Record<double> scope(tape);
        const auto terms = loss(scope, scope.input(Tensor<const double, Vec<4>>(x.data(), {}, batch)));
        tape.backward(terms.loss);
        REQUIRE(arena.peak() == arena.capacity());
        outcome.loss = terms.loss.scalar();
        outcome.reconstruction = terms.reconstruction.scalar();
        outcome.kl = terms.kl.scalar();
    }
    Arena arena(memory);
    Run<double> scope(parameters.data(), arena, training);
    const auto kl = loss.model(scope, Tensor<const double, Vec<4>>(x.data(), {}, batch)).kl;
    for (Index k = 0; k < 3; ++k)
        outcome.kl_of_units[static_cast<std::size_t>(k)] = kl.matrix().row(k).mean();
    return outcome;
}

}  // namespace

TEST_CASE(
    "free bits: the loss takes max(free bits, mean of KL_k) of every unit; the KL that is reported is the "
    "KL") {
    const Outcome none = pass({{}, 0.7, 0});
    auto sorted = none.kl_of_units;
    std::sort(sorted.begin(), sorted.end());
    REQUIRE(sorted[0] < sorted[1]);
    REQUIRE(none.loss == Approx(none.reconstruction + 0.7 * none.kl).epsilon(1e-14));
    // One unit under, two over; then all under; then none.
    for (const double floor : {0.5 * (sorted[0] + sorted[1]), 2 * sorted[2], 0.5 * sorted[0]}) {
        const Outcome free = pass({{}, 0.7, floor});
        double expected = 0;
        for (const double kl : none.kl_of_units) expected += std::max(floor, kl);
        REQUIRE(free.loss == Approx(none.reconstruction + 0.7 * expected).epsilon(1e-13));
        REQUIRE(free.kl == none.kl);
        REQUIRE(free.reconstruction == none.reconstruction);
    }
}

TEST_CASE("free bits: a unit under them is not pressed, a unit over them as ever") {
    const Outcome none = pass({{}, 1, 0});
    auto sorted = none.kl_of_units;
    std::sort(sorted.begin(), sorted.end());
    const Outcome all_free = pass({{}, 1, 2 * sorted[2]});
    const Outcome without_kl = pass({{}, 0, 0});
    const Outcome one_free = pass({{}, 1, 0.5 * (sorted[0] + sorted[1])});
    const Outcome none_free = pass({{}, 1, 0.5 * sorted[0]});
    // latent.bias: the means, then the log-variances, after encoder.0 (25) and latent.weight (30).
    const std::size_t bias = 25 + 30;
    for (std::size_t i = 0; i < 6; ++i) {
        INFO("bias " << i);
        const bool free = none.kl_of_units[i % 3] == sorted[0];
        REQUIRE(none.gradient[bias + i] != without_kl.gradient[bias + i]);
        REQUIRE(one_free.gradient[bias + i] ==
                Approx(free ? without_kl.gradient[bias + i] : none.gradient[bias + i])
                    .epsilon(1e-12)
                    .margin(1e-15));
    }
    for (std::size_t i = 0; i < none.gradient.size(); ++i) {
        REQUIRE(all_free.gradient[i] == Approx(without_kl.gradient[i]).epsilon(1e-12).margin(1e-15));
        REQUIRE(none_free.gradient[i] == Approx(none.gradient[i]).epsilon(1e-12).margin(1e-15));
    }
}
