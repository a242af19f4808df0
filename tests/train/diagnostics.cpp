// SPDX-License-Identifier: MIT
// Diagnostics of models made by hand, whose numbers are known: x = w z + noise, and what goes wrong with it.
#include "untoward/train/diagnostics.hpp"

#include <cmath>
#include <map>
#include <numbers>

#include "support/catch.hpp"
#include "untoward/vae/gaussian.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr Index features = 2;
constexpr double w[features] = {1.5, -1};
constexpr double w2 = 1.5 * 1.5 + 1;  // |w|^2
constexpr double variance = 0.25;     // of the noise
using Matrix = Eigen::MatrixXd;
using Model = Vae<Vec<features>, Encoder<>, Latent<1>, Decoder<>, FixedGaussian>;

Model model_of(double noise_variance = variance) {
    return {{}, {}, {}, {}, FixedGaussian{std::log(noise_variance)}};
}

/// n rows of the model: z ~ N(0, 1), x = centre + w z + noise.
Matrix rows_of(Index n, std::uint64_t seed, double centre = 0) {
    RandomStream stream(seed, 1);
    Matrix rows(features, n);
    for (Index j = 0; j < n; ++j) {
        const double z = stream.normal();
        for (Index i = 0; i < features; ++i)
            rows(i, j) = centre + w[i] * z + std::sqrt(variance) * stream.normal();
    }
    return rows;
}

using Values = std::map<std::string, std::vector<double>>;

Buffer<double> parameters_of(const Values& values) {
    Buffer<double> parameters(measure(Model{}, Vec<features>{}).scalars);
    describe(
        [&](const ParameterInfo& info) {
            INFO(info.path);
            const auto found = values.find(info.path);
            REQUIRE(found != values.end());
            REQUIRE(static_cast<Index>(found->second.size()) == info.size);
            std::copy(found->second.begin(), found->second.end(), parameters.begin() + info.offset);
        },
        Model{}, Vec<features>{});
    return parameters;
}

// The posterior of x = w z + noise is normal with precision 1 + |w|^2 / variance and mean (w x / variance) /
// precision.
Values exact() {
    const double precision = 1 + w2 / variance;
    return {{"latent.weight", {w[0] / variance / precision, w[1] / variance / precision, 0, 0}},
            {"latent.bias", {0, -std::log(precision)}},
            {"likelihood.mean.weight", {w[0], w[1]}},
            {"likelihood.mean.bias", {0, 0}}};
}

}  // namespace

TEST_CASE("diagnostics: of the true model every number is known") {
    const Buffer<double> parameters = parameters_of(exact());
    const Matrix rows = rows_of(1500, 1);
    const Matrix others = rows_of(400, 2);
    const Diagnosis d = diagnose(model_of(), parameters.data(), rows, others, {.rows = 600, .seed = 5});

    // I(x; z) = 1/2 log(1 + |w|^2 / variance): all of the KL, since codes lie as the prior does.
    const double information = 0.5 * std::log(1 + w2 / variance);
    REQUIRE(d.information.rows == 600);
    REQUIRE(d.information.mutual_information == Approx(information).margin(0.12));
    REQUIRE(d.information.kl == Approx(information).margin(0.12));
    REQUIRE(std::abs(d.information.marginal_kl()) < 0.12);
    REQUIRE_THAT(d.information.verdict(), ContainsSubstring("z tells 1.3"));

    // log p(x|z) is the noise's; with another's z it loses |w|^2 E(z - z')^2 / (2 variance).
    const double log_density = -features / 2.0 * (std::log(2 * std::numbers::pi * variance) + 1);
    REQUIRE(d.decoder.log_density == Approx(log_density).margin(0.1));
    // (z - z')^2 / 2 has mean 1 and variance 2.
    REQUIRE(d.decoder.gain() == Approx(w2 / variance).epsilon(4 * std::sqrt(2.0 / 600)));
    REQUIRE_FALSE(d.decoder.ignores_code());

    REQUIRE(d.coverage.rows == 400);
    REQUIRE(d.coverage.generated == 600);
    REQUIRE(d.coverage.expected() == Approx(1 - std::pow(0.5, 5)).margin(0.001));
    REQUIRE(d.coverage.coverage == Approx(d.coverage.expected()).margin(4 * std::sqrt(0.03 * 0.97 / 400)));
    REQUIRE(d.coverage.precision > 0.95);
    REQUIRE_THAT(d.coverage.verdict(),
                 ContainsSubstring("% of held-out rows") && ContainsSubstring("all kinds"));

    REQUIRE(d.latent.active_units == 1);
    REQUIRE(d.latent.kl_per_unit[0] == Approx(information).margin(0.12));
    REQUIRE(d.verdicts().size() == 5);
    REQUIRE_THAT(d.latent.kl_verdict(), ContainsSubstring("KL per unit: 1.3"));
    // The same seed gives the same numbers, another seed others, about as large.
    const auto again = inspect_information(model_of(), parameters.data(), rows, {.rows = 600, .seed = 5});
    REQUIRE(again.mutual_information == d.information.mutual_information);
    const auto other = inspect_information(model_of(), parameters.data(), rows, {.rows = 600, .seed = 6});
    REQUIRE(other.mutual_information != d.information.mutual_information);
    REQUIRE(other.mutual_information == Approx(information).margin(0.12));
}

TEST_CASE("diagnostics: mutual information is what the formula says, and at most log n") {
    const Buffer<double> parameters = parameters_of(exact());
    const Matrix rows = rows_of(40, 3);
    const auto report = inspect_information(model_of(), parameters.data(), rows, {.rows = 7, .seed = 2});
    REQUIRE(report.rows == 7);
    REQUIRE(report.mutual_information < report.limit());
    // By hand, from the same draws.
    const Matrix x = detail::some_columns(rows, 7, 2);
    const Matrix z = detail::run_over_columns(detail::DrawPosterior<Model>{model_of()}, parameters.data(),
                                              Vec<features>{}, x, 2, detail::of_posterior);
    const double precision = 1 + w2 / variance;
    double expected = 0;
    for (Index i = 0; i < 7; ++i) {
        double own = 0;
        double mixture = 0;
        for (Index j = 0; j < 7; ++j) {
            const double mean = (w[0] * x(0, j) + w[1] * x(1, j)) / variance / precision;
            const double q = std::sqrt(precision / (2 * std::numbers::pi)) *
                             std::exp(-precision / 2 * (z(0, i) - mean) * (z(0, i) - mean));
            mixture += q / 7;
            if (j == i) own = q;
        }
        expected += std::log(own / mixture) / 7;
    }
    REQUIRE(report.mutual_information == Approx(expected).epsilon(1e-10));
    // Sharp posteriors far apart: each row knows itself.
    Values sharp = exact();
    sharp["latent.weight"] = {100, 0, 0, 0};
    sharp["latent.bias"] = {0, -10};
    const Buffer<double> far = parameters_of(sharp);
    const auto most = inspect_information(model_of(), far.data(), rows, {.rows = 7});
    REQUIRE(most.mutual_information == Approx(std::log(7.0)).epsilon(1e-6));
    REQUIRE_THAT(most.verdict(), ContainsSubstring("every row has a code of its own"));
    REQUIRE(inspect_information(model_of(), far.data(), Matrix(features, 0)).rows == 0);
}

TEST_CASE("diagnostics: a collapsed posterior") {
    Values collapsed = exact();
    collapsed["latent.weight"] = {0, 0, 0, 0};
    collapsed["latent.bias"] = {0, 0};
    collapsed["likelihood.mean.weight"] = {0, 0};
    const Buffer<double> parameters = parameters_of(collapsed);
    const Diagnosis d = diagnose(model_of(), parameters.data(), rows_of(300, 1), rows_of(200, 2));
    REQUIRE(d.latent.collapsed());
    REQUIRE(std::abs(d.information.mutual_information) < 1e-12);
    REQUIRE(d.information.kl == 0);
    REQUIRE(d.decoder.ignores_code());
    REQUIRE(d.decoder.gain() == 0);
    REQUIRE_THAT(d.latent.verdict(), ContainsSubstring("collapsed"));
    REQUIRE_THAT(d.latent.kl_verdict(), ContainsSubstring("0 nats"));
    REQUIRE_THAT(d.information.verdict(), ContainsSubstring("the code says nothing"));
    REQUIRE_THAT(d.decoder.verdict(), ContainsSubstring("ignores z"));
    // It generates noise about the mean only, among the data there.
    REQUIRE(d.coverage.coverage < 0.85 * d.coverage.expected());
    REQUIRE(d.coverage.precision > 0.5);
}

TEST_CASE("diagnostics: what latent units cost, in words") {
    const auto verdict = [](std::vector<double> kl, std::vector<double> spread) {
        LatentReport report{kl, spread, 0};
        for (const double v : spread) report.active_units += v > LatentReport::active ? 1 : 0;
        return report.kl_verdict();
    };
    CHECK(verdict({1, 2, 0.01}, {0.7, 0.9, 0}) == "KL per unit: 3.01 nats in all, at most 2.00 in one");
    CHECK_THAT(verdict({1, 2, 0.5}, {0.7, 0.9, 0.001}), ContainsSubstring("pays for nothing"));
    CHECK_THAT(verdict({9, 0.1, 0.1}, {1, 0.1, 0.1}), ContainsSubstring("said by one unit"));
    CHECK_THAT(verdict({0, 0}, {0.7, 0.9}), ContainsSubstring("without noise"));
}

TEST_CASE("diagnostics: a decoder that ignores a code which says much") {
    Values deaf = exact();
    deaf["likelihood.mean.weight"] = {0, 0};
    const Buffer<double> parameters = parameters_of(deaf);
    const Diagnosis d = diagnose(model_of(), parameters.data(), rows_of(300, 1), rows_of(200, 2));
    REQUIRE_FALSE(d.latent.collapsed());
    REQUIRE(d.information.mutual_information > 1);
    REQUIRE(d.decoder.gain() == 0);
    REQUIRE(d.decoder.ignores_code());
    REQUIRE_THAT(d.decoder.verdict(), ContainsSubstring("ignores z"));
}

TEST_CASE("diagnostics: a model that drops one of two kinds of rows") {
    const auto two_kinds = [](Index n, std::uint64_t seed) {
        Matrix rows(features, 2 * n);
        rows << rows_of(n, seed, 0), rows_of(n, seed + 10, 20);
        return rows;
    };
    const Buffer<double> parameters = parameters_of(exact());  // knows those about 0
    const Diagnosis d = diagnose(model_of(), parameters.data(), two_kinds(250, 1), two_kinds(250, 2));
    REQUIRE(d.coverage.rows == 500);
    // Half of them, of which a few more are found since twice as many samples fall there as rows.
    REQUIRE(d.coverage.precision > 0.9);
    REQUIRE(d.coverage.coverage > 0.45);
    REQUIRE(d.coverage.coverage < 0.55);
    REQUIRE_THAT(d.coverage.verdict(), ContainsSubstring("kinds of rows are rarely generated"));
    // A third kind.
    Matrix three(features, 750);
    three << two_kinds(250, 5), rows_of(250, 7, -20);
    const auto fewer = inspect_coverage(model_of(), parameters.data(), three, three);
    REQUIRE(fewer.coverage < 0.4);
    REQUIRE_THAT(fewer.verdict(), ContainsSubstring("whole kinds of rows are never generated"));
}

TEST_CASE("diagnostics: with nothing held out, training rows stand in; too few rows, and no prior") {
    const Buffer<double> parameters = parameters_of(exact());
    const auto report = inspect_coverage(model_of(), parameters.data(), rows_of(401, 1), Matrix(features, 0));
    REQUIRE_FALSE(report.held_out);
    REQUIRE(report.rows == 200);
    REQUIRE(report.generated == 201);
    REQUIRE(report.coverage > 0.93);
    REQUIRE_THAT(report.verdict(), ContainsSubstring("% of training rows"));
    REQUIRE(inspect_coverage(model_of(), parameters.data(), rows_of(5, 1), rows_of(9, 2)).rows == 0);

    const Vae<Vec<features>, Encoder<>, Code<1>, Decoder<>, FixedGaussian> plain{};
    Buffer<double> code(measure(plain, Vec<features>{}).scalars);
    initialise(code.data(), 1, plain, Vec<features>{});
    const Diagnosis d = diagnose(plain, code.data(), rows_of(300, 1), rows_of(100, 2));
    REQUIRE(d.information.rows == 0);
    REQUIRE_THAT(d.information.verdict(), ContainsSubstring("not known"));
    REQUIRE(d.coverage.rows == 0);
    REQUIRE_THAT(d.coverage.verdict(), ContainsSubstring("not known"));
    REQUIRE(d.decoder.rows == 300);
    REQUIRE(d.decoder.gain() != 0);
}

TEST_CASE("diagnostics: samples that lie beside the data are no missing kinds of rows") {
    // The data lie in a plane's thin line; this model's likelihood is far too wide for it.
    Matrix rows = rows_of(400, 1);
    rows.row(1) = 1e-3 * rows.row(1) - 2 * rows.row(0);
    const Buffer<double> parameters = parameters_of(exact());
    const auto report = inspect_coverage(model_of(25), parameters.data(), rows, Matrix(features, 0));
    REQUIRE(report.coverage < 0.5);
    REQUIRE(report.precision < 0.3);
    REQUIRE_THAT(report.verdict(), ContainsSubstring("lie beside the data"));
}
