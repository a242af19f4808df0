// SPDX-License-Identifier: MIT
// A program of people who are strict, and of people who are not: every warning that they may have on, the library
// found by -I and not by -isystem, the macros that windows.h defines between other headers and ours, and three
// namespaces at once. Compiled by strict.py, a part of it by the optimiser.
#include <bits/stdc++.h>

#include <Eigen/Dense>

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))
#include "everything.hpp"

using namespace std;
using namespace Eigen;
using namespace untoward;

// Of what both have, two names are two things: a program that uses both namespaces says which.
template <class Activation>
using Sixteen = untoward::Dense<16, Activation>;

using Model = Vae<Vec<6>, Encoder<Sixteen<Relu>>, Latent<2>, Decoder<Sixteen<Silu>>, Gaussian>;
using Windows = Vae<Seq<3, 16>, Encoder<Lstm<8>, LastStep>, Latent<2>, Decoder<Repeat<16>, Gru<8>>, StudentT>;

// What only the optimiser sees.
VectorXf optimised(const MatrixXf& rows) {
    const auto detector =
        fit(Recipe{RobustScaler{}, Model{}, NegativeElbo{}, Conformal{}}, rows, {.epochs = 1});
    return detector.score(rows) * detector(rows.col(0)).score;
}

#ifndef UNTOWARD_STRICT_OPTIMISED
VectorXf use(const Matrix<float, Dynamic, Dynamic>& rows, const MatrixXd& windows) {
    const Recipe recipe{RobustScaler{}, Model{}, 0.5 * Slog{NegativeElbo{}} + Slog{NeighbourScore{}},
                        Conformal{}};
    const auto detector = fit(recipe, rows, {.epochs = 1});
    const auto of_windows =
        fit(Recipe{StandardScaler{}, Windows{}, ReconstructionError{}, untoward::Quantile{}}, windows);
    io::SafeTensorsWriter writer;
    io::add_detector(writer, detector);
    const auto loaded = io::read_any_detector<float>(io::SafeTensors(writer.bytes(), "memory"));
    const auto verdict = of_windows(Map<const VectorXd>(windows.data(), 48));
    vector<float> scores(3);
    reverse(scores.begin(), scores.end());
    const Index ones = count(scores.begin(), scores.end(), 1.0F) + generate(detector, 3).cols();
    const double largest = max(abs(verdict.score), sqrt(exp(static_cast<double>(ones))));
    return detector.score(rows) + loaded.score(rows) * static_cast<float>(largest);
}
#endif
