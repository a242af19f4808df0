// SPDX-License-Identifier: MIT
#pragma once

// Scores that learn, fitted to the evidence of the model that nobody trained (hand_made.hpp).

#include "scores/hand_made.hpp"
#include "untoward/train/training_evidence.hpp"

namespace untoward_test {

/// Its fitted score and a detector of it, which contributes nothing that is usual.
template <class ScoreType>
auto fit_by_hand(const ScoreType& score, const Eigen::MatrixXd& training, const Eigen::MatrixXd& held_out) {
    const Buffer<double> parameters = random_parameters();
    const Model model;
    const detail::EvidenceOfModel<double, Model, detail::draw_detail<ScoreType>()> evidence(
        model, parameters.data(), training, held_out, 5);
    const TrainingEvidence<double>& rows = evidence;
    auto fitted = detail::ScoreFitting<ScoreType, Eigen::VectorXd>::fit(score, rows);
    const Recipe recipe{NoScaler{}, model, score, Fixed{10}};
    const Eigen::VectorXd zero = Eigen::VectorXd::Zero(hand_made_features);
    const Eigen::VectorXd one = Eigen::VectorXd::Ones(hand_made_features);
    return Detector<std::remove_const_t<decltype(recipe)>, Owned<double>>(
        recipe, {zero, one, zero, zero}, random_parameters(), zero, {10.0, 0, 0}, std::move(fitted));
}

/// Contributions of every row and then its score, in exactly the memory that was promised.
template <class DetectorType>
Eigen::MatrixXd explained(const DetectorType& detector, const Eigen::MatrixXd& rows) {
    const Index n = rows.cols();
    Buffer<std::byte> memory(static_cast<Index>(detector.arena_bytes(n, false)));
    Arena arena(memory);
    Eigen::VectorXd scores(n);
    Eigen::MatrixXd contributions(hand_made_features, n);
    detector.evaluate(rows, arena, scores.data(), contributions.data());
    Eigen::MatrixXd result(hand_made_features + 1, n);
    result << contributions, scores.transpose();
    return result;
}

}  // namespace untoward_test
