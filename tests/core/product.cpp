// SPDX-License-Identifier: MIT
// Products against the plainest loops, with every instruction set that this processor has.
#include "untoward/core/product.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/instruction_sets.hpp"
#include "support/random_numbers.hpp"
#include "support/worst.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

namespace {

// Plain loops over large matrices take minutes where nothing is optimised.
#ifdef __OPTIMIZE__
constexpr Index large = 8;
#else
constexpr Index large = 1;
#endif

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
                worst = larger_error(worst, std::abs(sum - at(y, i + j * (out + gap))));
            }
            for (Index i = 0; i < in; ++i) {
                double sum = accumulate ? at(dx0, i + j * (in + gap)) : 0;
                for (Index k = 0; k < out; ++k) sum += at(w, k * in + i) * at(dy, k + j * (out + gap));
                worst = larger_error(worst, std::abs(sum - at(dx, i + j * (in + gap))));
            }
            for (Index i = 0; i < gap; ++i) {
                if (at(y, out + i + j * (out + gap)) != at(y0, out + i + j * (out + gap))) worst = 1e9;
                if (at(dx, in + i + j * (in + gap)) != at(dx0, in + i + j * (in + gap))) worst = 1e9;
            }
        }
        for (Index i = 0; i < out; ++i) {
            for (Index k = 0; k < in; ++k) {
                double sum = accumulate ? at(dw0, i * in + k) : 0;
                for (Index j = 0; j < n; ++j) sum += at(dy, i + j * (out + gap)) * at(x, k + j * (in + gap));
                worst = larger_error(worst, std::abs(sum - at(dw, i * in + k)));
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
                worst = larger_error(worst, std::abs(sum - at(y, i + j * m)));
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
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Index m : {1, 2, 9, 33}) {
            for (const Index n : {1, 3, 17}) {
                for (const Index depth : {0, 1, 5, 40}) {
                    check_matrices<float>(m, n, depth);
                    check_matrices<double>(m, n, depth);
                }
            }
        }
        check_matrices<float>(17 * large, 19 * large, 300 + 50 * large);
    }
}

TEST_CASE("products of every kind of size") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Index out : {1, 2, 5, 17, 40}) {
            for (const Index in : {1, 3, 16, 37}) {
                for (const Index n : {0, 1, 2, 7, 33}) {
                    check_products<float>(out, in, n, 0);
                    check_products<double>(out, in, n, 3);
                }
            }
        }
        // Every extent from 1 to 70, each in each place, beside others.
        for (Index i = 1; i <= 70; i += large == 1 ? 3 : 1) {
            const Index others[2] = {1 + (i * 29) % 70, 1 + (i * 43) % 70};
            check_products<float>(i, others[0], others[1], i % 3);
            check_products<float>(others[0], i, others[1], 0);
            check_products<float>(others[0], others[1], i, i % 2);
        }
    }
}

TEST_CASE("products with one and two columns, of every number of vectors in a row") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Index out : {1, 15, 16, 17, 33}) {
            for (const Index in : {17, 31, 32, 49, 63, 64, 96, 112, 113, 127, 128, 129, 200, 255, 256, 257}) {
                check_products<float>(out, in, 1, 0);
                check_products<float>(out, in, 2, 3);
            }
        }
    }
}

TEST_CASE("products of matrices that begin anywhere, and of random larger sizes") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        RandomStream random(static_cast<std::uint64_t>(set));
        for (int i = 0; i < 2; ++i) {
            const Index extents[3] = {1 + random.below(75 * large), 1 + random.below(75 * large),
                                      1 + random.below(12 * large)};
            check_products<float>(extents[0], extents[1], extents[2], random.below(5));
        }
        check_products<float>(5 * large, 1024, 9 * large, 0);  // strides that meet in few sets of a cache
        check_products<float>(1024, 5 * large, 9 * large, 0);
        // A few numbers beyond where an array begins, so that nothing is aligned.
        for (const Index offset : {1, 2, 3}) {
            const Index out = 37;
            const Index in = 50;
            const Index n = 11;
            const auto w = random_numbers<float>(out * in + offset, 1);
            const auto x = random_numbers<float>(in * n + offset, 2);
            std::vector<float> y(static_cast<std::size_t>(out * n + offset), 7);
            std::vector<float> dx(static_cast<std::size_t>(in * n + offset), 7);
            std::vector<float> dw(static_cast<std::size_t>(out * in + offset), 7);
            std::vector<float> y0(static_cast<std::size_t>(out * n));
            std::vector<float> dx0(static_cast<std::size_t>(in * n));
            std::vector<float> dw0(static_cast<std::size_t>(out * in));
            const std::vector<float> w0(w.begin() + offset, w.end());
            const std::vector<float> x0(x.begin() + offset, x.end());
            const auto all = [=](const float* weight, const float* from, float* to, float* d_from,
                                 float* d_weight) {
                product::forward<float>({to, out, n, out}, weight, {from, in, n, in}, false);
                product::backward_input<float>({d_from, in, n, in}, weight, {to, out, n, out}, false);
                product::backward_weight<float>(d_weight, {to, out, n, out}, {from, in, n, in}, false);
            };
            all(w.data() + offset, x.data() + offset, y.data() + offset, dx.data() + offset,
                dw.data() + offset);
            all(w0.data(), x0.data(), y0.data(), dx0.data(), dw0.data());
            const auto same = [offset](const std::vector<float>& moved, const std::vector<float>& aligned) {
                return moved[static_cast<std::size_t>(offset - 1)] == 7 &&
                       std::equal(aligned.begin(), aligned.end(), moved.begin() + offset);
            };
            CHECK((same(y, y0) && same(dx, dx0) && same(dw, dw0)));
        }
    }
}

TEST_CASE("products touch nothing beyond their matrices") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            const auto touch = [edge](Index out, Index in, Index n) {
                const Guarded w(out * in, 1, edge);
                const Guarded x(in * n, 2, edge);
                const Guarded y(out * n, 3, edge);
                const Guarded bias(out, 4, edge);
                const Guarded other(in, 5, edge);
                product::forward<float>({y.data(), out, n, out}, w.data(), {x.data(), in, n, in}, true,
                                        bias.data(), true);
                product::backward_weight<float>(w.data(), {y.data(), out, n, out}, {x.data(), in, n, in},
                                                true);
                product::backward_input<float>({x.data(), in, n, in}, w.data(), {y.data(), out, n, out}, true,
                                               other.data(), true);
                // x' w', of w as out x in in order of columns.
                product::matrices<true, true, float>({y.data(), n, out, n}, {x.data(), in, n, in},
                                                     {w.data(), out, in, out}, false);
            };
            for (Index i = 1; i <= 35; ++i) touch(i, 1 + (i * 29) % 70, 1 + (i * 43) % 23);
            touch(40, 300, 20);  // packed
            touch(300, 40, 20);
            touch(50, 260, 2);
            for (const Index in : {20, 57, 64, 120, 128, 200}) touch(in / 4, in, 1);
        }
    }
    SUCCEED("nothing was killed");
}

TEST_CASE("a product adds a bias and rectifies on its way; what is not a number stays so") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Index out : {1, 15, 16, 17, 33, 70}) {
            for (const Index n : {1, 2, 3, 9, 20}) {
                for (const bool accumulate : {false, true}) {
                    INFO(static_cast<int>(set) << ": " << out << ", batch " << n << ", " << accumulate);
                    const Index in = 300;  // more than one panel
                    auto w = random_numbers<float>(out * in, 1);
                    const auto x = random_numbers<float>(in * n, 2);
                    auto bias = random_numbers<float>(out, 3);
                    w[0] = std::numeric_limits<float>::quiet_NaN();
                    bias.back() = -0.0f;
                    auto plain = random_numbers<float>(out * n, 4);
                    auto finished = plain;
                    const product::Columns<const float> columns{x.data(), in, n, in};
                    product::forward<float>({plain.data(), out, n, out}, w.data(), columns, accumulate);
                    product::forward<float>({finished.data(), out, n, out}, w.data(), columns, accumulate,
                                            bias.data(), true);
                    bool right = true;
                    for (std::size_t i = 0; i < plain.size(); ++i) {
                        const auto row = i % static_cast<std::size_t>(out);
                        const float sum = plain[i] + bias[row];
                        if (row == 0) {
                            right = right && std::isnan(finished[i]);
                        } else {
                            right = right && std::abs(finished[i] - std::max(sum, 0.0f)) <= 1e-4f;
                        }
                    }
                    CHECK(right);
                    // W' d with a bias, as a tied decoder has it.
                    const auto d = random_numbers<float>(out * n, 5);
                    const auto other = random_numbers<float>(in, 6);
                    w[0] = 0;
                    std::vector<float> dx(static_cast<std::size_t>(in * n), 1);
                    auto dx_finished = dx;
                    const product::Columns<const float> gradient{d.data(), out, n, out};
                    product::backward_input<float>({dx.data(), in, n, in}, w.data(), gradient, accumulate);
                    product::backward_input<float>({dx_finished.data(), in, n, in}, w.data(), gradient,
                                                   accumulate, other.data(), true);
                    right = true;
                    for (std::size_t i = 0; i < dx.size(); ++i) {
                        const float sum = dx[i] + other[i % static_cast<std::size_t>(in)];
                        right = right && std::abs(dx_finished[i] - std::max(sum, 0.0f)) <= 1e-4f;
                    }
                    CHECK(right);
                }
            }
        }
    }
}

TEST_CASE("the size of caches changes no bit") {
    const auto products = [](auto zero) {
        using S = decltype(zero);
        const Index out = 45, in = 1500, n = 31;
        const auto w = random_numbers<S>(out * in, 1);
        const auto x = random_numbers<S>(in * n, 2);
        std::vector<S> y(static_cast<std::size_t>(out * n));
        product::forward<S>({y.data(), out, n, out}, w.data(), {x.data(), in, n, in}, false);
        return y;
    };
    const auto keeps = [&](auto zero) {
        const auto usual = products(zero);
        Eigen::setCpuCacheSizes(8 << 10, 64 << 10, 256 << 10);
        const auto small = products(zero);
        Eigen::setCpuCacheSizes(64 << 10, 2 << 20, 32 << 20);
        return usual == small && usual == products(zero);
    };
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        CHECK(keeps(0.0f));
        CHECK(keeps(0.0));
    }
}

TEST_CASE("products larger than one block") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        check_products<float>(17 * large, 300 + 50 * large, 19 * large, 0);
        check_products<float>(1, 900, 38 * large, 0);
    }
    check_products<double>(38 * large, 65, 33 * large, 1);
}
