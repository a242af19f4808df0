// SPDX-License-Identifier: MIT
// Every score of the library, each as a recipe writes it, on the same rows of a made-up machine: how well it tells three
// kinds of trouble from normal running, and which sensor it blames.
//
//   scores
//
// Eight sensors answer to two causes, load and temperature. Trouble is
//   drift     one sensor shows too much
//   broken    two sensors whose relation broke, each within its usual range
//   overload  every relation as usual, at a load that never was
// A column is the area under the ROC curve of one kind against normal rows: 1 finds all, 0.5 is a guess. One model of one
// seed: what it shows is what a score looks at, not which is best.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <tuple>

#include <untoward/core/random.hpp>
#include <untoward/ensemble.hpp>
#include <untoward/metrics/ranking.hpp>
#include <untoward/untoward.hpp>

namespace {

using namespace untoward;

constexpr Index sensors = 8;
constexpr Index rows_of_a_kind = 300;

using Model = Vae<Vec<sensors>, Encoder<Dense<32, Relu>, Dense<16, Relu>>, Latent<2>,
                  Decoder<Dense<16, Relu>, Dense<32, Relu>>, Gaussian>;

/// A row at some load and temperature, with each sensor's own noise.
Eigen::VectorXf measured(RandomStream& random, float load, float temperature) {
    Eigen::VectorXf x(sensors);
    x << load, load * load, 2 * load + temperature, temperature, std::sin(load), load * temperature,
        temperature - load, 0.5f * temperature * temperature;
    for (Index i = 0; i < sensors; ++i) x(i) += 0.15f * random.normal<float>();
    return x;
}

enum Kind { Normal, Drift, Broken, Overload };

Eigen::MatrixXf rows_of(Kind kind, Index n, std::uint64_t seed) {
    RandomStream random(seed, static_cast<std::uint64_t>(kind));
    Eigen::MatrixXf rows(sensors, n);
    for (Index j = 0; j < n; ++j) {
        const auto usual = [&] { return std::clamp(0.7f * random.normal<float>(), -1.5f, 1.5f); };
        const float load = kind == Overload ? 1.7f + 0.2f * random.uniform<float>() : usual();
        rows.col(j) = measured(random, load, usual());
        if (kind == Drift) rows(j % sensors, j) += 1.5f;
        if (kind == Broken) {
            const Eigen::VectorXf other = measured(random, usual(), usual());
            rows.col(j).head(2) = other.head(2);
        }
    }
    return rows;
}

double area(const Eigen::VectorXf& normal, const Eigen::VectorXf& odd) {
    Eigen::VectorXf scores(normal.size() + odd.size());
    scores << normal, odd;
    Eigen::VectorXi labels = Eigen::VectorXi::Zero(scores.size());
    labels.tail(odd.size()).setOnes();
    return auc_roc(scores, labels);
}

struct Rows {
    Eigen::MatrixXf train = rows_of(Normal, 2000, 1);
    Eigen::MatrixXf normal = rows_of(Normal, 1000, 2);
    Eigen::MatrixXf drift = rows_of(Drift, rows_of_a_kind, 3);
    Eigen::MatrixXf broken = rows_of(Broken, rows_of_a_kind, 4);
    Eigen::MatrixXf overload = rows_of(Overload, rows_of_a_kind, 5);
};

/// One line: a detector of its own for the score, fitted to the same rows with the same seed.
template <class Options>
void show(const char* text, const Options& options, const Rows& rows) {
    const auto detector = fit(options, rows.train, {.epochs = 40, .seed = 7});
    const Eigen::VectorXf normal = detector.score(rows.normal);
    // Of the drifts, how often the sensor that drifts is the first to blame.
    Index right = 0;
    for (Index j = 0; j < rows_of_a_kind; ++j) {
        const auto verdict = detector(rows.drift.col(j));
        right += verdict.contributions[0].feature == j % sensors ? 1 : 0;
    }
    std::printf("%-81s %6.3f %7.3f %9.3f %6.0f%%\n", text, area(normal, detector.score(rows.drift)),
                area(normal, detector.score(rows.broken)), area(normal, detector.score(rows.overload)),
                100.0 * static_cast<double>(right) / rows_of_a_kind);
    std::fflush(stdout);
}

/// The usual recipe around a score.
template <class Score>
auto with(const Score& score) {
    return Recipe{RobustScaler{}, Model{}, score, Conformal{.false_alarm_rate = 0.01}};
}

}  // namespace

// A score, and the same text for its line.
#define SHOW(...) show(#__VA_ARGS__, with(__VA_ARGS__), rows)

int main() {
    const Rows rows;
    std::printf("%-81s %6s %7s %9s %7s\n", "score", "drift", "broken", "overload", "blames");

    // The model's error.
    SHOW(ReconstructionError{});
    SHOW(ReconstructionError{.norm = Norm::l2});
    SHOW(ReconstructionError{.norm = Norm::l1});
    SHOW(WhitenedError{});
    SHOW(TopShare{.share = 0.25});

    // How far from the prior the encoder had to go; alone it misses what the encoder does not see.
    SHOW(KlDivergence{});
    SHOW(ReconstructionError{} + 0.5f * KlDivergence{});
    SHOW(BalancedError{});

    // Probabilities under the model.
    SHOW(NegativeElbo{});
    SHOW(ImportanceWeightedLikelihood{.draws = 50});
    SHOW(ReconstructionProbability{.draws = 16});
    SHOW(ReconstructionProbability{.draws = 50, .average = DensityAverage::log_mean_exp});
    SHOW(ReconstructionProbability{.path = DensityPath::mean});

    // What is learned of the training rows besides.
    SHOW(MahalanobisScore{.space = Space::latent});
    SHOW(KlDivergence{} + 0.5f * MahalanobisScore{.space = Space::residual});
    SHOW(NeighbourScore{.k = 5});
    SHOW(NeighbourScore{.space = Space::latent_and_residual, .k = 5});
    SHOW(MixtureScore{});
    SHOW(MixtureScore{.space = Space::latent_and_residual});
    SHOW(PrincipalComponentScore{});

    // Several, in units that can be added.
    SHOW(Slog{NegativeElbo{}} + Slog{NeighbourScore{}});
    SHOW(NegativeLogP{NegativeElbo{}} + NegativeLogP{NeighbourScore{}});
    SHOW(NormalQuantile{NegativeElbo{}} + NormalQuantile{NeighbourScore{}});

    // Two models that vote.
    const auto vote = [](auto scaler) {
        return Recipe{scaler, Model{}, Slog{NegativeElbo{}}, NoThreshold{}};
    };
    show("Ensemble of two models, Slog{NegativeElbo{}}",
         Ensemble{std::tuple{vote(RobustScaler{}), vote(StandardScaler{})},
                  Conformal{.false_alarm_rate = 0.01}},
         rows);
}
