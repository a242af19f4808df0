// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cmath>

#include "../core/storage.hpp"
#include "update.hpp"

namespace untoward {

namespace detail {

// parameters -= rate * (corrected first moment) / (root of corrected second moment + epsilon)
// Eigen's root of float packets on x86 begins with an approximation in which processors of different makers
// differ, and the parameters with them. The instruction for it is exact.
template <class Packet>
Packet exact_root(const Packet& x) {
    return Eigen::internal::psqrt(x);
}
#if defined(EIGEN_VECTORIZE_SSE)
inline Eigen::internal::Packet4f exact_root(const Eigen::internal::Packet4f& x) {
    return _mm_sqrt_ps(x);
}
#endif
#if defined(EIGEN_VECTORIZE_AVX)
inline Eigen::internal::Packet8f exact_root(const Eigen::internal::Packet8f& x) {
    return _mm256_sqrt_ps(x);
}
#endif
#if defined(EIGEN_VECTORIZE_AVX512)
inline Eigen::internal::Packet16f exact_root(const Eigen::internal::Packet16f& x) {
    return _mm512_maskz_sqrt_ps(0xffff, x);  // all of them; without a mask g++ 12 warns of its own header
}
inline Eigen::internal::Packet8d exact_root(const Eigen::internal::Packet8d& x) {
    return _mm512_maskz_sqrt_pd(0xff, x);
}
#endif

// One pass over the four vectors, in Eigen's packets: as expressions it would be three, and every program that
// trains would spend a tenth of its compile time on them.
template <class S>
void adam_step(const Update<S>& u, double beta1, double beta2, double epsilon_wide) {
    const auto b1 = static_cast<S>(beta1);
    const auto b2 = static_cast<S>(beta2);
    const auto steps = static_cast<double>(u.step);
    const auto rate = static_cast<S>(u.learning_rate / (1 - std::pow(beta1, steps)));
    const auto root = static_cast<S>(1 / std::sqrt(1 - std::pow(beta2, steps)));
    const auto epsilon = static_cast<S>(epsilon_wide);
    S* const p = u.parameters;
    const S* const g = u.gradient;
    S* const m = u.moments[0];
    S* const v = u.moments[1];
    Index i = 0;

    using namespace Eigen::internal;
    using Packet = typename packet_traits<S>::type;
    constexpr Index width = packet_traits<S>::size;
    const auto all = [](S value) { return pset1<Packet>(value); };
    for (; i + width <= u.size; i += width) {
        const Packet gradient = ploadu<Packet>(g + i);
        const Packet first = padd(pmul(all(b1), ploadu<Packet>(m + i)), pmul(all(S(1) - b1), gradient));
        const Packet second =
            padd(pmul(all(b2), ploadu<Packet>(v + i)), pmul(all(S(1) - b2), pmul(gradient, gradient)));
        pstoreu(m + i, first);
        pstoreu(v + i, second);
        const Packet spread = padd(pmul(exact_root(second), all(root)), all(epsilon));
        pstoreu(p + i, psub(ploadu<Packet>(p + i), pdiv(pmul(all(rate), first), spread)));
    }
    for (; i < u.size; ++i) {
        m[i] = b1 * m[i] + (1 - b1) * g[i];
        v[i] = b2 * v[i] + (1 - b2) * (g[i] * g[i]);
        p[i] -= rate * m[i] / (std::sqrt(v[i]) * root + epsilon);
    }
}

}  // namespace detail

/// Adam (Kingma and Ba 2015), with PyTorch's defaults and order of operations: the epsilon is added to the
/// bias-corrected root. Without weight decay.
struct Adam {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;

    static constexpr const char* name = "adam";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta1", self.beta1);
        visit("beta2", self.beta2);
        visit("epsilon", self.epsilon);
    }
    static constexpr std::array<const char*, 2> moments{"first", "second"};

    template <class S>
    void operator()(const Update<S>& u) const {
        detail::adam_step(u, beta1, beta2, epsilon);
    }
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019), with PyTorch's defaults: parameters whose
/// attributes say so shrink by the share learning_rate * decay before each step.
struct AdamW {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double decay = 0.01;

    static constexpr const char* name = "adam-w";
    static constexpr void options(auto& self, auto&& visit) {
        visit("beta1", self.beta1);
        visit("beta2", self.beta2);
        visit("epsilon", self.epsilon);
        visit("decay", self.decay);
    }
    static constexpr std::array<const char*, 2> moments{"first", "second"};

    template <class S>
    void operator()(const Update<S>& u) const {
        if (u.decay) {
            Eigen::Map<Eigen::Array<S, Dynamic, 1>>(u.parameters, u.size) *=
                static_cast<S>(1 - u.learning_rate * decay);
        }
        detail::adam_step(u, beta1, beta2, epsilon);
    }
};

}  // namespace untoward
