// SPDX-License-Identifier: MIT
// A scaler that does not keep the numbers that a likelihood is for: one error that names both.
#include "untoward/scores/elbo.hpp"
#include "untoward/train/fit.hpp"
#include "untoward/vae/bernoulli.hpp"
#include "untoward/vae/categorical.hpp"
#include "untoward/vae/poisson.hpp"

#ifndef CASE
#define CASE 0
#endif

using namespace untoward;

/// A scaler of a user's own that says nothing of what it keeps.
struct Halves {
    template <class Derived>
    auto fit(const Eigen::DenseBase<Derived>& rows) const {
        auto scaling = IdentityScaler{}.fit(rows);
        scaling.scale *= 2;
        return scaling;
    }
};

template <class Likelihood, class Scaler>
void use(const Eigen::MatrixXf& rows) {
    using Model = Vae<Vec<4>, Encoder<Dense<8, Tanh>>, Latent<2>, Decoder<Dense<8, Tanh>>, Likelihood>;
    fit(Recipe{Scaler{}, Model{}, NegativeElbo{}, Conformal{}}, rows);
}

#if CASE == 0
template void use<Bernoulli, UnitScaler>(const Eigen::MatrixXf&);
template void use<Gaussian, Halves>(const Eigen::MatrixXf&);
#endif

// A Bernoulli behind a StandardScaler.
#if CASE == 1  // expect: untoward: this likelihood is for values in [0, 1]: use UnitScaler or IdentityScaler
template void use<Bernoulli, StandardScaler>(const Eigen::MatrixXf&);
#endif
// A Bernoulli behind a scaler that says nothing of what it keeps.
#if CASE == 2  // expect: untoward: this likelihood is for values in [0, 1]: use UnitScaler or IdentityScaler
template void use<Bernoulli, Halves>(const Eigen::MatrixXf&);
#endif
// Classes in [0, 1].
#if CASE == 3  // expect: untoward: this likelihood is for one-hot channels: use IdentityScaler
template void use<Categorical, UnitScaler>(const Eigen::MatrixXf&);
#endif
// Counts that are moved and stretched.
#if CASE == 4  // expect: untoward: this likelihood is for counts: use IdentityScaler
template void use<Poisson, RobustScaler>(const Eigen::MatrixXf&);
#endif
