// SPDX-License-Identifier: MIT
#pragma once

// A detector that nobody trained: random parameters, no scaling, so that its scores can be computed by hand.

#include <cmath>
#include <numbers>

#include "untoward/autodiff/initialiser.hpp"
#include "untoward/detector.hpp"
#include "untoward/thresholds/fixed.hpp"

namespace untoward_test {

using namespace untoward;

struct NoScaler {};

/// A layer that does nothing but count how often it computes.
struct Counted {
    int* calls = nullptr;

    template <class Scope, class X>
    constexpr auto operator()(Scope&, const X& x) const {
        if constexpr (requires { x.data(); }) {
            if (calls != nullptr) ++*calls;
        }
        return x;
    }
};

constexpr Index hand_made_features = 5;
constexpr Index latent = 2;
using Model = Vae<Vec<hand_made_features>, Encoder<Counted, Dense<7, Tanh>>, Latent<latent>,
                  Decoder<Counted, Dense<6, Tanh>>, Gaussian>;

inline Model counted_model(int* encoded = nullptr, int* decoded = nullptr) {
    return {{}, {Counted{encoded}, Dense<7, Tanh>{}}, {}, {Counted{decoded}, Dense<6, Tanh>{}}, {}};
}

inline Buffer<double> random_parameters() {
    Buffer<double> parameters(measure(Model{}, Vec<hand_made_features>{}).scalars);
    fill_normal(parameters.data(), parameters.size(), NoiseKey{.seed = 12});
    parameters.array() *= 0.5;
    return parameters;
}

/// The model's parts by plain Eigen, from the parameter vector alone.
class PlainModel {
public:
    PlainModel() {
        const Buffer<double> parameters = random_parameters();
        const double* next = parameters.data();
        encoder_.read(next, 7, hand_made_features);
        heads_.read(next, 2 * latent, 7);
        decoder_.read(next, 6, latent);
        output_.read(next, hand_made_features, 6);
        log_variance_ = Eigen::Map<const Eigen::ArrayXd>(next, hand_made_features).max(-6).min(4);
    }

    [[nodiscard]] Eigen::ArrayXXd mean(const Eigen::MatrixXd& x) const { return heads(x).topRows(latent); }
    [[nodiscard]] Eigen::ArrayXXd log_variance(const Eigen::MatrixXd& x) const {
        return heads(x).bottomRows(latent).max(-12).min(6);
    }
    [[nodiscard]] Eigen::ArrayXXd decode(const Eigen::ArrayXXd& z) const {
        return output_(decoder_(z.matrix()).array().tanh().matrix()).array();
    }
    /// log p(x_d | z)
    [[nodiscard]] Eigen::ArrayXXd density(const Eigen::MatrixXd& x, const Eigen::ArrayXXd& z) const {
        const Eigen::ArrayXXd error = x.array() - decode(z);
        return -0.5 * ((error.square().colwise() / log_variance_.exp()).colwise() +
                       (log_variance_ + std::log(2 * std::numbers::pi)));
    }

private:
    struct Layer {
        Eigen::MatrixXd weight;
        Eigen::VectorXd bias;

        void read(const double*& next, Index out, Index in) {
            weight =
                Eigen::Map<const Eigen::Matrix<double, Dynamic, Dynamic, Eigen::RowMajor>>(next, out, in);
            bias = Eigen::Map<const Eigen::VectorXd>(next + out * in, out);
            next += out * in + out;
        }
        Eigen::MatrixXd operator()(const Eigen::MatrixXd& h) const { return (weight * h).colwise() + bias; }
    };
    [[nodiscard]] Eigen::ArrayXXd heads(const Eigen::MatrixXd& x) const {
        return heads_(encoder_(x).array().tanh().matrix()).array();
    }

    Layer encoder_, heads_, decoder_, output_;
    Eigen::ArrayXd log_variance_;  // of every feature
};

inline Eigen::MatrixXd random_rows(Index n) {
    Eigen::MatrixXd rows(hand_made_features, n);
    fill_normal(rows.data(), rows.size(), NoiseKey{.seed = 13});
    return rows;
}

template <class ScoreType>
auto hand_made(const ScoreType& score, const Model& model = {}) {
    const Recipe recipe{NoScaler{}, model, score, Fixed{10}};
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(hand_made_features);
    const Eigen::VectorXd one = Eigen::VectorXd::Ones(hand_made_features);
    return Detector<std::remove_const_t<decltype(recipe)>, Owned<double>>(
        recipe, {zero, one, zero, zero}, random_parameters(), zero, {10.0, 0, 0});
}

/// Score and contributions of every row, as one matrix: features, then the score.
template <class DetectorType>
Eigen::MatrixXd sheet(const DetectorType& detector, const Eigen::MatrixXd& rows) {
    const Index n = rows.cols();
    Buffer<std::byte> memory(static_cast<Index>(DetectorType::arena_bytes(detector.recipe(), n, false)));
    Arena arena(memory);
    Eigen::VectorXd scores(n);
    Eigen::MatrixXd contributions(hand_made_features, n);
    detector.evaluate(rows, arena, scores.data(), contributions.data());
    if (arena.used() != 0 || arena.peak() != arena.capacity())
        contributions.setConstant(-1);  // not what was promised
    Eigen::MatrixXd result(hand_made_features + 1, n);
    result << contributions, scores.transpose();
    return result;
}

}  // namespace untoward_test
