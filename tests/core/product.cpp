// SPDX-License-Identifier: MIT
// Products and elementwise evaluation against the plainest loops.
#include "untoward/core/product.hpp"

#include <vector>

#include "support/catch.hpp"
#include "untoward/core/elementwise.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

namespace {

template <class S>
std::vector<S> random_numbers(Index n, std::uint64_t site) {
    std::vector<S> x(static_cast<std::size_t>(n));
    fill_normal(x.data(), n, NoiseKey{.seed = 1, .site = site});
    return x;
}

template <class S>
void check_products(Index out, Index in, Index n, Index gap) {
    INFO(out << " x " << in << " x " << n << ", gap " << gap);
    const auto w = random_numbers<S>(out * in, 1);
    const auto x = random_numbers<S>((in + gap) * n, 2);
    const auto dy = random_numbers<S>((out + gap) * n, 3);
    const product::Columns<const S> columns_x{x.data(), in, n, in + gap};
    const product::Columns<const S> columns_dy{dy.data(), out, n, out + gap};
    const auto at = [](const auto& v, Index i) {
        return static_cast<double>(v[static_cast<std::size_t>(i)]);
    };
    const double tolerance =
        (sizeof(S) == 8 ? 1e-13 : 1e-5) * static_cast<double>(1 + std::max({out, in, n}));
    for (const bool accumulate : {false, true}) {
        auto y = random_numbers<S>((out + gap) * n, 4);
        auto dx = random_numbers<S>((in + gap) * n, 5);
        auto dw = random_numbers<S>(out * in, 6);
        const auto y0 = y;
        const auto dx0 = dx;
        const auto dw0 = dw;
        product::forward<S>({y.data(), out, n, out + gap}, w.data(), columns_x, accumulate);
        product::backward_input<S>({dx.data(), in, n, in + gap}, w.data(), columns_dy, accumulate);
        product::backward_weight<S>(dw.data(), columns_dy, columns_x, accumulate);
        double worst = 0;
        for (Index j = 0; j < n; ++j) {
            for (Index i = 0; i < out; ++i) {
                double sum = accumulate ? at(y0, i + j * (out + gap)) : 0;
                for (Index k = 0; k < in; ++k) sum += at(w, i * in + k) * at(x, k + j * (in + gap));
                worst = std::max(worst, std::abs(sum - at(y, i + j * (out + gap))));
            }
            for (Index i = 0; i < in; ++i) {
                double sum = accumulate ? at(dx0, i + j * (in + gap)) : 0;
                for (Index k = 0; k < out; ++k) sum += at(w, k * in + i) * at(dy, k + j * (out + gap));
                worst = std::max(worst, std::abs(sum - at(dx, i + j * (in + gap))));
            }
            for (Index i = 0; i < gap; ++i) {
                if (at(y, out + i + j * (out + gap)) != at(y0, out + i + j * (out + gap))) worst = 1e9;
            }
        }
        for (Index i = 0; i < out; ++i) {
            for (Index k = 0; k < in; ++k) {
                double sum = accumulate ? at(dw0, i * in + k) : 0;
                for (Index j = 0; j < n; ++j) sum += at(dy, i + j * (out + gap)) * at(x, k + j * (in + gap));
                worst = std::max(worst, std::abs(sum - at(dw, i * in + k)));
            }
        }
        CHECK(worst <= tolerance);
    }
}

template <bool TransposeA, bool TransposeB, class S>
void check_matrices(Index m, Index n, Index depth) {
    INFO(m << " x " << depth << " x " << n);
    const auto a = random_numbers<S>(m * depth, 1);
    const auto b = random_numbers<S>(depth * n, 2);
    const Index a_rows = TransposeA ? depth : m;
    const Index b_rows = TransposeB ? n : depth;
    for (const bool accumulate : {false, true}) {
        auto y = random_numbers<S>(m * n, 3);
        const auto before = y;
        product::matrices<TransposeA, TransposeB, S>(
            {y.data(), m, n, m}, {a.data(), a_rows, TransposeA ? m : depth, a_rows},
            {b.data(), b_rows, TransposeB ? depth : n, b_rows}, accumulate);
        double worst = 0;
        for (Index j = 0; j < n; ++j) {
            for (Index i = 0; i < m; ++i) {
                const auto at = [](const auto& v, Index k) {
                    return static_cast<double>(v[static_cast<std::size_t>(k)]);
                };
                double sum = accumulate ? at(before, i + j * m) : 0;
                for (Index k = 0; k < depth; ++k) {
                    sum += at(a, TransposeA ? k + i * depth : i + k * m) *
                           at(b, TransposeB ? j + k * n : k + j * depth);
                }
                worst = std::max(worst, std::abs(sum - at(y, i + j * m)));
            }
        }
        CHECK(worst <= (sizeof(S) == 8 ? 1e-13 : 1e-5) * static_cast<double>(1 + depth));
    }
}

template <class S>
void check_matrices(Index m, Index n, Index depth) {
    check_matrices<false, false, S>(m, n, depth);
    check_matrices<true, false, S>(m, n, depth);
    check_matrices<false, true, S>(m, n, depth);
    check_matrices<true, true, S>(m, n, depth);
}

}  // namespace

TEST_CASE("products of two matrices, each transposed or not") {
    for (const Index m : {1, 2, 9, 33}) {
        for (const Index n : {1, 3, 17}) {
            for (const Index depth : {0, 1, 5, 40}) {
                check_matrices<float>(m, n, depth);
                check_matrices<double>(m, n, depth);
            }
        }
    }
    check_matrices<float>(130, 150, 700);
}

TEST_CASE("products of every kind of size") {
    for (const Index out : {1, 2, 5, 17, 40}) {
        for (const Index in : {1, 3, 16, 37}) {
            for (const Index n : {0, 1, 2, 7, 33}) {
                check_products<float>(out, in, n, 0);
                check_products<double>(out, in, n, 3);
            }
        }
    }
}

TEST_CASE("products larger than one block") {
    check_products<float>(130, 700, 150, 0);
    check_products<double>(300, 65, 260, 1);
    check_products<float>(1, 900, 300, 0);
}

TEST_CASE("elementwise evaluation broadcasts rows, batches and both, and sums where the result has one") {
    const Index n = 2 * detail::chunk_size + 3;
    const auto a = random_numbers<double>((n + 2) * 4, 1);
    const auto b = random_numbers<double>((n + 2) * 4, 2);
    for (const Index rows : {Index{1}, Index{5}, n}) {
        for (const Index batch : {Index{1}, Index{4}}) {
            for (int form = 0; form < 64; ++form) {
                const Index a_rows = form & 1 ? rows : 1;
                const Index a_batch = form & 2 ? batch : 1;
                const Index y_rows = form & 4 ? rows : 1;
                const Index y_batch = form & 8 ? batch : 1;
                const Index gap = form & 16 ? 2 : 0;
                const bool accumulate = (form & 32) != 0;
                const Tensor<const double, Vec<>> x(a.data(), Vec<>(a_rows), a_batch, a_rows + gap);
                const Tensor<const double, Vec<>> z(b.data(), Vec<>(rows), batch, rows + gap);
                std::vector<double> result(static_cast<std::size_t>((y_rows + gap) * y_batch), 0.5);
                const Tensor<double, Vec<>> y(result.data(), Vec<>(y_rows), y_batch, y_rows + gap);
                add_reduced(
                    y, accumulate, [](const auto& p, const auto& q) { return p * q + 1; }, x, z);
                std::vector<double> expected(result.size(), 0.5);
                const Tensor<double, Vec<>> e(expected.data(), Vec<>(y_rows), y_batch, y_rows + gap);
                if (!accumulate) e.matrix().setZero();
                for (Index j = 0; j < batch; ++j) {
                    for (Index i = 0; i < rows; ++i) {
                        e(y_rows == 1 ? 0 : i, y_batch == 1 ? 0 : j) +=
                            x(a_rows == 1 ? 0 : i, a_batch == 1 ? 0 : j) * z(i, j) + 1;
                    }
                }
                double worst = 0;
                for (std::size_t i = 0; i < result.size(); ++i) {
                    worst = std::max(worst, std::abs(result[i] - expected[i]) / (1 + std::abs(expected[i])));
                }
                INFO("rows " << rows << ", batch " << batch << ", form " << form);
                CHECK(worst < 1e-12);
            }
        }
    }
}

TEST_CASE("an operand may be the result, and an empty batch sums to zero") {
    auto x = random_numbers<float>(12, 1);
    const auto before = x;
    const Tensor<float, Vec<>> y(x.data(), Vec<>(6), 2);
    assign(
        y, [](const auto& a, const auto& b) { return a * b; }, y, y);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == before[i] * before[i]);
    const Tensor<float, Vec<>> one(x.data(), Vec<>(6), 1);
    const Tensor<const float, Vec<>> none(x.data(), Vec<>(6), 0);
    add_reduced(
        one, false, [](const auto& a) { return a; }, none);
    for (std::size_t i = 0; i < 6; ++i) CHECK(x[i] == 0);
}
