// SPDX-License-Identifier: MIT
#pragma once

#include "normal.hpp"
#include "support.hpp"

// The normal distribution of K elements with a full covariance L L', by its mean and its lower Cholesky
// factor L. L is packed into K (K + 1) / 2 numbers: first the logarithms of its diagonal, then what is under
// the diagonal, row by row:
//
//     log L_00, log L_11, ..., L_10, L_20, L_21, L_30, ...
//
// So any numbers are a covariance; none is without a gradient, as the upper half of a K x K matrix would be;
// and the part to keep in a range, and the log-determinant, is one slice.

namespace untoward UNTOWARD_SETTING {

/// How many numbers the factor of K elements has.
constexpr Index factor_size(Index k) {
    return k * (k + 1) / 2;
}
/// Its shape.
template <Index K>
constexpr auto factor_shape(const Vec<K>& units) {
    return Vec<(K == Dynamic ? Dynamic : factor_size(K))>(factor_size(units.size()));
}

namespace detail {

// A packed factor, and the arithmetic of one lower triangle. Kernels: K is small.
template <class S>
class Factor {
public:
    Factor(const S* packed, Index k) : packed_(packed), k_(k) {}

    [[nodiscard]] Index size() const { return k_; }
    [[nodiscard]] S log_diagonal(Index i) const { return packed_[i]; }
    [[nodiscard]] S diagonal(Index i) const { return math::exp(packed_[i]); }
    [[nodiscard]] S below(Index i, Index j) const { return packed_[place(i, j)]; }
    /// Where L_ij is, i > j.
    [[nodiscard]] Index place(Index i, Index j) const { return k_ + i * (i - 1) / 2 + j; }

    /// x = L x
    void multiply(S* x) const {
        for (Index i = k_ - 1; i >= 0; --i) {
            x[i] *= diagonal(i);
            for (Index j = 0; j < i; ++j) x[i] += below(i, j) * x[j];
        }
    }
    /// x = L' x
    void multiply_transposed(S* x) const {
        for (Index j = 0; j < k_; ++j) {
            x[j] *= diagonal(j);
            for (Index i = j + 1; i < k_; ++i) x[j] += below(i, j) * x[i];
        }
    }
    /// x = L^-1 x, of columns one after another
    void solve(S* x, Index columns = 1) const {
        for (Index i = 0; i < k_; ++i) {
            const S on = diagonal(i);
            for (Index c = 0; c < columns; ++c) {
                S* const column = x + c * k_;
                for (Index j = 0; j < i; ++j) column[i] -= below(i, j) * column[j];
                column[i] /= on;
            }
        }
    }
    /// x = L'^-1 x
    void solve_transposed(S* x, Index columns = 1) const {
        for (Index j = k_ - 1; j >= 0; --j) {
            const S on = diagonal(j);
            for (Index c = 0; c < columns; ++c) {
                S* const column = x + c * k_;
                for (Index i = j + 1; i < k_; ++i) column[j] -= below(i, j) * column[i];
                column[j] /= on;
            }
        }
    }
    /// gradient += weight dL, where d(i, j) is the gradient for L_ij, i >= j
    template <class To, class Gradient>
    void add_gradient(To& to, S weight, const Gradient& d) const {
        for (Index i = 0; i < k_; ++i) {
            to[i] += weight * d(i, i) * diagonal(i);
            for (Index j = 0; j < i; ++j) to[place(i, j)] += weight * d(i, j);
        }
    }

private:
    const S* packed_;
    Index k_;
};

template <class X>
auto factor_at(const X& factor, Index sample, Index k) {
    return Factor<typename X::Scalar>(&factor(0, broadcast_column(factor, sample)), k);
}

template <class Who, Index K, Index F>
constexpr void require_factor(const Vec<K>& units, const Vec<F>& factor) {
    constexpr Index Expected = K == Dynamic ? Dynamic : factor_size(K);
    require_same_extent<Who, Expected, F>(factor_size(units.size()), factor.size());
}

}  // namespace detail

/// log N(x; m, L L') of every sample:
///     -1/2 |L^-1 (x - m)|^2 - sum log L_ii - K/2 log(2 pi)
struct MultivariateNormalLogDensity {
    template <Index X, Index K, Index F>
    constexpr Vec<1> shape(const Vec<X>& x, const Vec<K>& mean, const Vec<F>& factor) const {
        detail::require_same_extent<MultivariateNormalLogDensity, K, X>(mean.size(), x.size());
        detail::require_factor<MultivariateNormalLogDensity>(mean, factor);
        return {};
    }
    // v = L^-1 (x - m) of every sample; and room for w = L'^-1 v.
    constexpr Index saved(Index batch, const auto& x, const auto&, const auto&) const {
        return 2 * x.size() * batch;
    }
    constexpr Index scratch(Index batch, const auto& x, const auto&, const auto&) const {
        return x.size() * batch;
    }
    template <class S>
    void forward(S* saved, bool, auto y, auto x, auto mean, auto factor) const {
        const Index k = x.rows();
        const S log_two_pi = static_cast<S>(1.8378770664093454835606594728112);
        for (Index j = 0; j < y.batch(); ++j) {
            const auto l = detail::factor_at(factor, j, k);
            detail::FlatMap<S> white(saved + j * k, k);
            white = x.column(detail::broadcast_column(x, j)) - mean.column(detail::broadcast_column(mean, j));
            l.solve(white.data());
            S log_determinant = 0;
            for (Index i = 0; i < k; ++i) log_determinant += l.log_diagonal(i);
            y(0, j) = S(-0.5) * (detail::sum_of_elements(white.square()) + static_cast<S>(k) * log_two_pi) -
                      log_determinant;
        }
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto x, auto, auto factor, auto dx, auto dmean,
                  auto dfactor) const {
        const Index k = x.rows();
        const Index batch = dy.batch();
        S* const back = saved + batch * k;
        const auto w = [&](Index j) { return detail::FlatMap<S>(back + j * k, k); };
        for (Index j = 0; j < batch; ++j) {
            w(j) = detail::FlatMap<S>(saved + j * k, k);
            detail::factor_at(factor, j, k).solve_transposed(back + j * k);
        }
        detail::add_by_sample(dx, batch, [&](Index j, auto to) { to -= dy(0, j) * w(j); });
        detail::add_by_sample(dmean, batch, [&](Index j, auto to) { to += dy(0, j) * w(j); });
        detail::add_by_sample(dfactor, batch, [&](Index j, auto to) {
            detail::factor_at(factor, j, k).add_gradient(to, dy(0, j), [&](Index r, Index c) {
                return back[j * k + r] * saved[j * k + c];
            });
            to.head(k) -= dy(0, j);
        });
    }
};

/// A reparameterised draw m + L e of standard normal noise e.
struct CorrelateNoise {
    template <Index K, Index F, Index E>
    constexpr auto shape(const Vec<K>& mean, const Vec<F>& factor, const Vec<E>& noise) const {
        detail::require_factor<CorrelateNoise>(mean, factor);
        detail::require_same_extent<CorrelateNoise, K, E>(mean.size(), noise.size());
        return mean;
    }
    void forward(auto y, auto mean, auto factor, auto noise) const {
        const Index k = y.rows();
        for (Index j = 0; j < y.batch(); ++j) {
            auto column = y.column(j);
            column = noise.column(detail::broadcast_column(noise, j));
            detail::factor_at(factor, j, k).multiply(column.data());
            column += mean.column(detail::broadcast_column(mean, j));
        }
    }
    void backward(auto dy, auto, auto, auto factor, auto noise, auto dmean, auto dfactor, auto dnoise) const {
        const Index k = dy.rows();
        const Index batch = dy.batch();
        dmean.add([](auto d) { return d; }, dy);
        detail::add_by_sample(dfactor, batch, [&](Index j, auto to) {
            const auto e = noise.column(detail::broadcast_column(noise, j));
            detail::factor_at(factor, j, k).add_gradient(to, 1, [&](Index r, Index c) {
                return dy(r, j) * e[c];
            });
        });
        // dy may be overwritten, and nobody reads it after this.
        detail::add_by_sample(dnoise, batch, [&](Index j, auto to) {
            detail::factor_at(factor, j, k).multiply_transposed(&dy(0, j));
            to += dy.column(j);
        });
    }
};

/// KL(N(m, L L') || N(0, I)), split by rows, K x batch:
///     1/2 (m_k^2 + sum over j of L_kj^2 - 1) - log L_kk
/// Each is what unit k alone is away from the prior, plus what it shares with the units before it; none is
/// negative, and their sum is the KL.
struct MultivariateNormalKl {
    template <Index K, Index F>
    constexpr auto shape(const Vec<K>& mean, const Vec<F>& factor) const {
        detail::require_factor<MultivariateNormalKl>(mean, factor);
        return mean;
    }
    void forward(auto y, auto mean, auto factor) const {
        using S = typename decltype(y)::Scalar;
        const Index k = y.rows();
        for (Index j = 0; j < y.batch(); ++j) {
            const auto l = detail::factor_at(factor, j, k);
            for (Index i = 0; i < k; ++i) {
                const S m = mean(i, detail::broadcast_column(mean, j));
                S below = 0;
                for (Index c = 0; c < i; ++c) below += l.below(i, c) * l.below(i, c);
                // e^(2 l) - 1 - 2 l near its zero, without cancellation of the first two
                const S twice = 2 * l.log_diagonal(i);
                y(i, j) = S(0.5) * (m * m + below + (math::expm1(twice) - twice));
            }
        }
    }
    void backward(auto dy, auto, auto mean, auto factor, auto dmean, auto dfactor) const {
        const Index k = dy.rows();
        dmean.add([](auto d, auto m) { return d * m; }, dy, mean);
        detail::add_by_sample(dfactor, dy.batch(), [&](Index j, auto to) {
            const auto l = detail::factor_at(factor, j, k);
            for (Index i = 0; i < k; ++i) {
                to[i] += dy(i, j) * math::expm1(2 * l.log_diagonal(i));
                for (Index c = 0; c < i; ++c) to[l.place(i, c)] += dy(i, j) * l.below(i, c);
            }
        });
    }
};

/// KL(N(m, L L') || N(n, P P')) of every sample, with v = P^-1 (m - n) and M = P^-1 L:
///     1/2 (|M|^2 + |v|^2 - K) + sum log P_ii - sum log L_ii
struct MultivariateNormalPairKl {
    template <Index K, Index F, Index N, Index P>
    constexpr Vec<1> shape(const Vec<K>& m, const Vec<F>& l, const Vec<N>& n, const Vec<P>& p) const {
        detail::require_same_extent<MultivariateNormalPairKl, K, N>(m.size(), n.size());
        detail::require_factor<MultivariateNormalPairKl>(m, l);
        detail::require_factor<MultivariateNormalPairKl>(m, p);
        return {};
    }
    // v and M of one sample, and P'^-1 of both: K x (K + 1) each.
    constexpr Index saved(Index, const auto& m, const auto&, const auto&, const auto&) const {
        return 2 * m.size() * (m.size() + 1);
    }
    template <class S>
    void forward(S* saved, auto y, auto m, auto l, auto n, auto p) const {
        const Index k = m.rows();
        for (Index j = 0; j < y.batch(); ++j) {
            whiten(saved, j, m, l, n, p);
            const auto first = detail::factor_at(l, j, k);
            const auto second = detail::factor_at(p, j, k);
            S log_ratio = 0;
            for (Index i = 0; i < k; ++i) log_ratio += second.log_diagonal(i) - first.log_diagonal(i);
            const S squares = detail::sum_of_elements(detail::FlatMap<S>(saved, k * (k + 1)).square());
            y(0, j) = S(0.5) * (squares - static_cast<S>(k)) + log_ratio;
        }
    }
    template <class S>
    void backward(S* saved, auto dy, auto, auto m, auto l, auto n, auto p, auto dm, auto dl, auto dn,
                  auto dp) const {
        const Index k = m.rows();
        const Index batch = dy.batch();
        S* const back = saved + k * (k + 1);
        const auto go_back = [&](Index j) {
            whiten(saved, j, m, l, n, p);
            detail::FlatMap<S>(back, k * (k + 1)) = detail::FlatMap<S>(saved, k * (k + 1));
            detail::factor_at(p, j, k).solve_transposed(back, k + 1);
        };
        detail::add_by_sample(dm, batch, [&](Index j, auto to) {
            go_back(j);
            to += dy(0, j) * detail::FlatMap<S>(back, k);
        });
        detail::add_by_sample(dn, batch, [&](Index j, auto to) {
            go_back(j);
            to -= dy(0, j) * detail::FlatMap<S>(back, k);
        });
        // d/dL = P'^-1 M
        detail::add_by_sample(dl, batch, [&](Index j, auto to) {
            go_back(j);
            detail::factor_at(l, j, k).add_gradient(to, dy(0, j),
                                                    [&](Index r, Index c) { return back[(c + 1) * k + r]; });
            to.head(k) -= dy(0, j);
        });
        // d/dP = -P'^-1 (M M' + v v')
        detail::add_by_sample(dp, batch, [&](Index j, auto to) {
            go_back(j);
            detail::factor_at(p, j, k).add_gradient(to, dy(0, j), [&](Index r, Index c) {
                S sum = 0;
                for (Index i = 0; i <= k; ++i) sum -= back[i * k + r] * saved[i * k + c];
                return sum;
            });
            to.head(k) += dy(0, j);
        });
    }

private:
    // v, then the columns of M.
    template <class S>
    static void whiten(S* to, Index j, const auto& m, const auto& l, const auto& n, const auto& p) {
        const Index k = m.rows();
        const auto first = detail::factor_at(l, j, k);
        detail::FlatMap<S>(to, k) =
            m.column(detail::broadcast_column(m, j)) - n.column(detail::broadcast_column(n, j));
        for (Index c = 0; c < k; ++c) {
            S* const column = to + (c + 1) * k;
            for (Index r = 0; r < k; ++r)
                column[r] = r < c ? 0 : (r == c ? first.diagonal(r) : first.below(r, c));
        }
        detail::factor_at(p, j, k).solve(to, k + 1);
    }
};

/// The logarithm of the variance of each of K elements, K x batch: log of the sum over j of L_kj^2.
template <Index K>
struct MarginalLogVariance {
    [[no_unique_address]] Vec<K> units;

    template <Index F>
    constexpr auto shape(const Vec<F>& factor) const {
        detail::require_factor<MarginalLogVariance>(units, factor);
        return units;
    }
    void forward(auto y, auto factor) const {
        for (Index j = 0; j < y.batch(); ++j) {
            for (Index i = 0; i < y.rows(); ++i) y(i, j) = math::log(variance(factor, i, j));
        }
    }
    void backward(auto dy, auto, auto factor, auto dfactor) const {
        detail::add_by_sample(dfactor, dy.batch(), [&](Index j, auto to) {
            const auto l = detail::factor_at(factor, j, dy.rows());
            for (Index i = 0; i < dy.rows(); ++i) {
                const auto slope = 2 * dy(i, j) / variance(factor, i, j);
                to[i] += slope * math::exp(2 * l.log_diagonal(i));
                for (Index c = 0; c < i; ++c) to[l.place(i, c)] += slope * l.below(i, c);
            }
        });
    }

private:
    auto variance(const auto& factor, Index i, Index j) const {
        const auto l = detail::factor_at(factor, j, units.size());
        auto sum = math::exp(2 * l.log_diagonal(i));
        for (Index c = 0; c < i; ++c) sum += l.below(i, c) * l.below(i, c);
        return sum;
    }
};

namespace distributions {

/// Correlated normals of one sample's K elements: mean K x batch, factor K (K + 1) / 2 x batch, packed as said
/// above. The density is per sample (Vec<1>). Draws are reparameterised.
///
///     distributions::MultivariateNormal p{mean, factor};
template <class Mean, class FactorType>
struct MultivariateNormal {
    Mean mean;
    FactorType factor;

    template <class Scope, class X>
    constexpr auto log_density(Scope& scope, const X& x) const {
        return scope.apply(MultivariateNormalLogDensity{}, x, mean, factor);
    }
    template <class Scope>
    constexpr auto sample(Scope& scope) const {
        const auto noise = scope.normal(mean.shape(), mean.batch());
        return scope.apply(CorrelateNoise{}, mean, factor, noise);
    }
    template <class Scope>
    constexpr auto expectation(Scope&) const {
        return mean;
    }
    /// KL to independent standard normals, per sample.
    template <class Scope>
    constexpr auto kl(Scope& scope, const StandardNormal&) const {
        const auto rows = scope.apply(MultivariateNormalKl{}, mean, factor);
        return sum_per_sample(scope, rows);
    }
    /// KL to another, per sample.
    template <class Scope, class M, class F>
    constexpr auto kl(Scope& scope, const MultivariateNormal<M, F>& p) const {
        return scope.apply(MultivariateNormalPairKl{}, mean, factor, p.mean, p.factor);
    }
};

template <class Mean, class FactorType>
MultivariateNormal(const Mean&, const FactorType&) -> MultivariateNormal<Mean, FactorType>;

}  // namespace distributions

}  // namespace untoward
