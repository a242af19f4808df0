// SPDX-License-Identifier: MIT
// One part of a program that two_settings.py compiles with different settings: PART is its name. It prints the bits of
// a training, of scores, and of products that the user's own code makes by Eigen.
#include <untoward/data/scaler.hpp>
#include <untoward/nn/dense.hpp>
#include <untoward/scores/elbo.hpp>
#include <untoward/scores/reconstruction.hpp>
#include <untoward/thresholds/conformal.hpp>
#include <untoward/train/fit.hpp>
#include <untoward/vae/student_t.hpp>
#include <untoward/vae/vae.hpp>

#include <Eigen/Cholesky>

#include <cstdio>
#include <cstring>

void PART(const char* label);

namespace {

void print(const char* label, const char* what, const Eigen::MatrixXf& numbers) {
    std::printf("%s %s", label, what);
    for (Eigen::Index i = 0; i < numbers.size(); ++i) {
        unsigned bits = 0;
        std::memcpy(&bits, numbers.data() + i, sizeof(bits));
        std::printf(" %08x", bits);
    }
    std::printf("\n");
}

}  // namespace

void PART(const char* label) {
    using namespace untoward;
    Eigen::MatrixXf rows(6, 300);
    fill_normal(rows.data(), rows.size(), {.seed = 1});
    rows.row(2) = rows.row(0) + 0.1f * rows.row(2);
    const Recipe recipe{
        StandardScaler{},
        Vae<Vec<6>, Encoder<Dense<16, Tanh>>, Latent<2>, Decoder<Dense<16, Tanh>>, StudentT>{},
        NegativeElbo{} + ReconstructionError{.norm = Norm::l2}, Conformal{.false_alarm_rate = 0.1}};
    const auto detector = fit(recipe, rows, {.epochs = 3, .seed = 7});
    const Eigen::VectorXf scores = detector.score(rows.leftCols(50));
    print(label, "scores", scores);

    const Eigen::MatrixXf square = rows * rows.transpose();
    const Eigen::VectorXf solved = (square + Eigen::MatrixXf::Identity(6, 6)).llt().solve(rows.col(0));
    print(label, "own", square);
    print(label, "own", solved);
    print(label, "own", Eigen::MatrixXf::Constant(1, 1, rows.array().exp().sum()));
}
