// SPDX-License-Identifier: MIT
// Scores, scalers and thresholds chosen at run time do what the fixed ones do; so does one of a user's own.
#include <cmath>

#include "support/catch.hpp"
#include "untoward/dynamic/any_scaler.hpp"
#include "untoward/dynamic/any_score.hpp"
#include "untoward/dynamic/any_threshold.hpp"

using namespace untoward;
using Catch::Matchers::ContainsSubstring;

namespace {

struct Sheet {
    Eigen::MatrixXf features = Eigen::MatrixXf::Zero(3, 2);
    Eigen::RowVectorXf rest = Eigen::RowVectorXf::Zero(2);

    bool operator==(const Sheet&) const = default;
};

// What a score makes of evidence that is made up.
template <class Score>
Sheet sheet_of(const Score& score) {
    const Eigen::MatrixXf x = (Eigen::MatrixXf(3, 2) << 1, 2, -3, 4, 0.5f, 0).finished();
    const Eigen::MatrixXf y = (Eigen::MatrixXf(3, 2) << 0, 2, 1, 1, 0.25f, 0).finished();
    const Eigen::MatrixXf units = (Eigen::MatrixXf(2, 2) << 0.5f, 1, 2, 3).finished();
    const auto data = [](const Eigen::MatrixXf& m) {
        return Tensor<const float, Vec<>>(m.data(), Vec<>(m.rows()), m.cols());
    };
    Evidence<Tensor<const float, Vec<>>, Tensor<const float, Vec<>>> evidence(data(x), data(units),
                                                                              data(units), data(units));
    evidence.set_reconstruction(data(y));
    evidence.set_log_density(data(y));
    evidence.set_expectation(data(y));
    Sheet sheet;
    ScoreSheet<float> to{{sheet.features.data(), Vec<>(3), 2}, {sheet.rest.data(), Vec<1>{}, 2}};
    if constexpr (requires { score.blank(); }) {
        score.blank().add_to(to, evidence, 2.0f);  // scores that learn nothing
    } else {
        detail::ScoreFitting<Score, Eigen::VectorXf>::blank(score).add_to(to, evidence, 2.0f);
    }
    return sheet;
}

// A user's own policies.
struct LargestError {
    double power = 1;

    static constexpr const char* name = "largest-error";
    static constexpr void options(auto& self, auto&& visit) { visit("power", self.power); }

    constexpr Needs needs() const { return {.reconstruction = true}; }
    void add_to(auto& sheet, const auto& evidence, auto weight) const {
        for (Index j = 0; j < evidence.x.batch(); ++j) {
            Index worst;
            const auto error = (evidence.x.column(j) - evidence.reconstruction().column(j)).abs();
            const auto largest = error.maxCoeff(&worst);
            sheet.features(worst, j) += weight * static_cast<decltype(weight)>(std::pow(largest, power));
        }
    }
};

struct HalfRange {
    static constexpr const char* name = "half-range";
    template <class Derived>
    auto fit(const Eigen::DenseBase<Derived>& rows) const {
        return StandardScaler{}.fit(rows.derived() * 2);
    }
};

struct AboveAll {
    double margin = 1;
    static constexpr const char* name = "above-all";
    static constexpr void options(auto& self, auto&& visit) { visit("margin", self.margin); }
    Index rows_for_calibration(Index n) const { return n / 2; }
    template <class Derived>
    auto calibrate(const Eigen::DenseBase<Derived>& scores) const {
        using Scalar = typename Derived::Scalar;
        return PlainThreshold<Scalar>(scores.maxCoeff() + static_cast<Scalar>(margin), scores.size(), 1);
    }
};

}  // namespace

TEST_CASE("a score from its text is the score") {
    const auto same = [](const char* text, const auto& score) {
        INFO(text);
        const AnyScore<float> any = make_score(text);
        CHECK(sheet_of(any) == sheet_of(score));
        CHECK(any.needs().draws == score.needs().draws);
        CHECK(any.needs().seed == score.needs().seed);
        CHECK(any.needs().reconstruction == score.needs().reconstruction);
        CHECK(any.text() == io::policy_text(score));
        CHECK(make_score(any.text()).text() == any.text());
    };
    same("negative-elbo", NegativeElbo{});
    same("NegativeElbo{.draws = 3, .seed = 9}", NegativeElbo{.draws = 3, .seed = 9});
    same("reconstruction-error{norm=l1} + 0.1 * kl-divergence",
         ReconstructionError{.norm = Norm::l1} + 0.1f * KlDivergence{});
    same("2.5f * (ReconstructionError{.norm = Norm::l2} + 1e-3 * KlDivergence{}) + kl-divergence",
         2.5f * (ReconstructionError{.norm = Norm::l2} + 1e-3f * KlDivergence{}) + KlDivergence{});
    // Erased and fixed ones add up.
    CHECK(sheet_of(make_score("kl-divergence") + 0.5f * ReconstructionError{}) ==
          sheet_of(KlDivergence{} + 0.5f * ReconstructionError{}));

    for (const char* text : {"", "+", "kl-divergence +", "* kl-divergence", "x * kl-divergence",
                             "1 * 2 * kl-divergence", "(kl-divergence", "nan * kl-divergence"}) {
        INFO(text);
        CHECK_THROWS_AS(make_score(text), Error);
    }
    CHECK_THROWS_WITH(make_score("elbo"), ContainsSubstring("there is no score 'elbo'") &&
                                              ContainsSubstring("kl-divergence, ") &&
                                              ContainsSubstring(", negative-elbo"));
}

TEST_CASE("a user's own policies are known once they are registered") {
    CHECK_THROWS_WITH(make_score<double>("largest-error"), ContainsSubstring("no score 'largest-error'"));
    score_registry<float>().add<LargestError>();
    CHECK(sheet_of(make_score("0.5 * largest-error{power=2} + kl-divergence")) ==
          sheet_of(0.5f * LargestError{2} + KlDivergence{}));
    scaler_registry<float>().add<HalfRange>();
    CHECK(scaler_registry<float>().make("half-range").text() == "HalfRange{}");
    threshold_registry<float>().add<AboveAll>({.margin = 3});
    const auto threshold = threshold_registry<float>().make("above-all");
    CHECK(threshold.text() == "AboveAll{.margin = 3.0}");
    CHECK(threshold.rows_for_calibration(11) == 5);
    const auto fitted = threshold.calibrate(Eigen::Vector3f(1, 5, 2));
    CHECK(fitted.threshold() == 8);
    CHECK(fitted.policy().text() == threshold.text());
}

TEST_CASE("a scaler from its text is the scaler") {
    Eigen::MatrixXf rows(2, 5);
    rows << 1, 2, 3, 4, 100, 7, 7, 7, 7, 7;
    const auto any = scaler_registry<float>().make("robust-scaler").fit(rows);
    const auto fixed = RobustScaler{}.fit(rows);
    CHECK(any.centre == fixed.centre);
    CHECK(any.scale == fixed.scale);
    CHECK(any.fill == fixed.fill);
    CHECK(any.constant == fixed.constant);
    const AnyScaler<float> standard = StandardScaler{};
    CHECK(standard.text() == "StandardScaler{}");
    CHECK(standard.keeps(DataKind::any));
    CHECK_FALSE(standard.keeps(DataKind::unit));
}

TEST_CASE("a threshold from its text is the threshold, and keeps what it was calibrated to") {
    const Eigen::VectorXf scores = (Eigen::VectorXf(6) << 3, 1, 2, 6, 5, 4).finished();
    const AnyThreshold<float> policy = threshold_registry<float>().make("conformal{false_alarm_rate=0.2}");
    const auto any = policy.calibrate(scores);
    const auto fixed = Conformal{.false_alarm_rate = 0.2}.calibrate(scores);
    CHECK(any.threshold() == fixed.threshold());
    for (const float s : {0.0f, 2.5f, 6.0f, 7.0f, std::nanf("")}) {
        CHECK(any.is_anomaly(s) == fixed.is_anomaly(s));
        CHECK(any.p_value(s) == fixed.p_value(s));
    }
    CHECK(any.rows_needed() == fixed.rows_needed());
    CHECK(any.is_calibrated() == fixed.is_calibrated());
    CHECK(any.attainable_false_alarm_rate() == fixed.attainable_false_alarm_rate());
    CHECK(any.false_alarm_rate() == 0.2);
    CHECK(any.scores() == fixed.scores());
    for (const Index n : {1, 10, 100, 1000})
        CHECK(policy.rows_for_calibration(n) == rows_for_calibration(Conformal{.false_alarm_rate = 0.2}, n));

    const auto quantile = AnyThreshold<float>(Quantile{.level = 0.5}).calibrate(scores);
    CHECK(quantile.threshold() == 3.5f);
    CHECK(std::isnan(quantile.p_value(2)));
    CHECK_FALSE(quantile.false_alarm_rate().has_value());
    static_assert(FittedThreshold<AnyFittedThreshold<float>>);
    static_assert(ThresholdPolicy<AnyThreshold<float>>);
    CHECK_THROWS_WITH(threshold_registry<float>().make("conformal{false_alarm_rate=1}"),
                      ContainsSubstring("between 0 and 1"));
}
