// SPDX-License-Identifier: MIT
// Functions of numbers over tensors, with every instruction set that this processor has.
#include "untoward/core/elementwise.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/instruction_sets.hpp"
#include "support/random_numbers.hpp"
#include "support/worst.hpp"

using namespace untoward;

TEMPLATE_TEST_CASE(
    "elementwise evaluation broadcasts rows, batches and both, and sums where the result has one", "", float,
    double) {
    using S = TestType;
    const S tolerance = sizeof(S) == 8 ? S(1e-12) : S(1e-4);
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        const Index n = 2 * detail::chunk_size + 3;
        const auto a = random_numbers<S>((n + 2) * 4, 1);
        const auto b = random_numbers<S>((n + 2) * 4, 2);
        for (const Index rows : {Index{1}, Index{5}, n}) {
            for (const Index batch : {Index{1}, Index{4}}) {
                for (int form = 0; form < 64; ++form) {
                    const Index a_rows = form & 1 ? rows : 1;
                    const Index a_batch = form & 2 ? batch : 1;
                    const Index y_rows = form & 4 ? rows : 1;
                    const Index y_batch = form & 8 ? batch : 1;
                    const Index gap = form & 16 ? 2 : 0;
                    const bool accumulate = (form & 32) != 0;
                    const Tensor<const S, Vec<>> x(a.data(), Vec<>(a_rows), a_batch, a_rows + gap);
                    const Tensor<const S, Vec<>> z(b.data(), Vec<>(rows), batch, rows + gap);
                    std::vector<S> result(static_cast<std::size_t>((y_rows + gap) * y_batch), S(0.5));
                    const Tensor<S, Vec<>> y(result.data(), Vec<>(y_rows), y_batch, y_rows + gap);
                    add_reduced(
                        y, accumulate, [](auto p, auto q) { return p * q + 1; }, x, z);
                    std::vector<S> expected(result.size(), S(0.5));
                    const Tensor<S, Vec<>> e(expected.data(), Vec<>(y_rows), y_batch, y_rows + gap);
                    if (!accumulate) e.matrix().setZero();
                    for (Index j = 0; j < batch; ++j) {
                        for (Index i = 0; i < rows; ++i) {
                            e(y_rows == 1 ? 0 : i, y_batch == 1 ? 0 : j) +=
                                x(a_rows == 1 ? 0 : i, a_batch == 1 ? 0 : j) * z(i, j) + 1;
                        }
                    }
                    S worst = 0;
                    for (std::size_t i = 0; i < result.size(); ++i) {
                        worst = larger_error(worst,
                                             std::abs(result[i] - expected[i]) / (1 + std::abs(expected[i])));
                    }
                    INFO("rows " << rows << ", batch " << batch << ", form " << form);
                    CHECK(worst < tolerance);
                }
            }
        }
    }
}

TEST_CASE("an operand may be the result, and an empty batch sums to zero") {
    auto x = random_numbers<float>(12, 1);
    const auto before = x;
    const Tensor<float, Vec<>> y(x.data(), Vec<>(6), 2);
    assign(
        y, [](auto a, auto b) { return a * b; }, y, y);
    for (std::size_t i = 0; i < x.size(); ++i) CHECK(x[i] == before[i] * before[i]);
    // Beside one number for every sample, and one in all.
    const float factors[] = {2, 3};
    assign(
        y, [](auto a, auto b, auto c) { return a * b + c; }, y,
        Tensor<const float, Vec<>>(factors, Vec<>(1), 2), Tensor<const float, Vec<>>(factors, Vec<>(1), 1));
    for (std::size_t i = 0; i < x.size(); ++i) {
        const float expected = before[i] * before[i] * (i < 6 ? 2 : 3) + 2;
        CHECK(std::abs(x[i] - expected) <= 1e-6f * expected);
    }
    const Tensor<float, Vec<>> one(x.data(), Vec<>(6), 1);
    const Tensor<const float, Vec<>> none(x.data(), Vec<>(6), 0);
    add_reduced(
        one, false, [](auto a) { return a; }, none);
    for (std::size_t i = 0; i < 6; ++i) CHECK(x[i] == 0);
}

TEST_CASE("every length from 1 to 70, with rows beside it that are left alone") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (Index rows = 1; rows <= 70; ++rows) {
            INFO(static_cast<int>(set) << ": " << rows);
            const Index batch = 5;
            const Index stride = rows + 3;
            const auto x = random_numbers<float>(stride * batch, 1);
            const auto b = random_numbers<float>(rows, 2);
            auto y = random_numbers<float>(stride * batch, 3);
            const auto before = y;
            add_reduced(
                Tensor<float, Vec<>>(y.data(), Vec<>(rows), batch, stride), true,
                [](auto p, auto q) { return p > q ? p - q : q * q; },
                Tensor<const float, Vec<>>(x.data(), Vec<>(rows), batch, stride),
                Tensor<const float, Vec<>>(b.data(), Vec<>(rows), 1));
            bool right = true;
            for (Index j = 0; j < batch; ++j) {
                for (Index i = 0; i < stride; ++i) {
                    const auto at = static_cast<std::size_t>(i + j * stride);
                    float expected = before[at];
                    if (i < rows) {
                        const float q = b[static_cast<std::size_t>(i)];
                        expected += x[at] > q ? x[at] - q : q * q;
                    }
                    right = right && std::abs(y[at] - expected) <= 1e-6f;
                }
            }
            CHECK(right);

            auto p = random_numbers<float>(rows + 1, 4);
            auto m = random_numbers<float>(rows + 1, 5);
            const auto p0 = p;
            const auto m0 = m;
            auto g = random_numbers<float>(rows, 6);
            change<2>(rows,
                      [](float& first, float& second, float third) {
                          second += third;
                          first -= second;
                      },
                      {p.data(), m.data(), g.data()});
            right = p.back() == p0.back() && m.back() == m0.back();
            double sum = 0;
            for (std::size_t i = 0; i < g.size(); ++i) {
                right = right && m[i] == m0[i] + g[i] && p[i] == p0[i] - m[i];
                sum += static_cast<double>(g[i]) * static_cast<double>(p[i]);
            }
            CHECK(right);
            const float all = total(rows, [](auto u, auto v) { return u * v; }, {g.data(), p.data()});
            CHECK(std::abs(static_cast<double>(all) - sum) <= 1e-5 * (1 + std::abs(sum)) + 2e-5);
        }
    }
}

TEMPLATE_TEST_CASE("what is only read may be what is changed, and an operand the result", "", float, double) {
    using S = TestType;
    constexpr Index batch = 3;
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (Index rows = 1; rows <= 40; ++rows) {
            const Index stride = rows + rows % 3;
            INFO(static_cast<int>(set) << ": " << rows);
            const auto p0 = random_numbers<S>(stride * batch, 1);
            const auto q0 = random_numbers<S>(stride * batch, 2);
            auto p = p0;
            auto q = q0;
            // Whether the rows of this many columns became p and q of what was there before, and all else stayed.
            const auto became = [&](Index columns, const auto& new_p, const auto& new_q) {
                bool right = true;
                for (Index i = 0; i < stride * batch; ++i) {
                    const auto at = static_cast<std::size_t>(i);
                    const bool met = i % stride < rows && i / stride < columns;
                    right = right && p[at] == (met ? new_p(p0[at], q0[at]) : p0[at]) &&
                            q[at] == (met ? new_q(p0[at], q0[at]) : q0[at]);
                }
                p = p0;
                q = q0;
                return right;
            };
            const auto twice_and = [](S a, S b) { return a + a + b; };
            const auto first = [](S a, S) { return a; };
            const auto second = [](S, S b) { return b; };

            const auto add = [](S& changed, S same, S b) { changed += same, changed += b; };
            change<1>(rows, add, {p.data(), p.data(), q.data()});
            CHECK(became(1, twice_and, second));
            change<1>(rows, batch, add, {p.data(), p.data(), q.data()}, {stride, stride, stride});
            CHECK(became(batch, twice_and, second));
            const auto swap = [](S& a, S& b, S c, S d) { a = d, b = c; };
            change<2>(rows, batch, swap, {p.data(), q.data(), p.data(), q.data()},
                      {stride, stride, stride, stride});
            CHECK(became(batch, second, first));

            const Tensor<S, Vec<>> y(p.data(), Vec<>(rows), batch, stride);
            const Tensor<const S, Vec<>> z(q.data(), Vec<>(rows), batch, stride);
            assign(
                y, [](auto a, auto b, auto c) { return a + b + c; }, y, y, z);
            CHECK(became(batch, twice_and, second));
            add_reduced(
                y, true, [](auto a, auto b) { return a + b - a; }, y, z);
            CHECK(became(
                batch, [](S a, S b) { return a + (a + b - a); }, second));
        }
    }
}

TEST_CASE("what is not a number stays so, and a number does not depend on its place") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        const Index n = 53;
        auto x = random_numbers<float>(n, 1);
        x[7] = std::numeric_limits<float>::quiet_NaN();
        std::vector<float> y(x.size());
        const auto function = [](auto a) { return math::tanh(a) + math::softplus(a) * math::exp(-a); };
        assign(Tensor<float, Vec<>>(y.data(), Vec<>(n), 1), function,
               Tensor<const float, Vec<>>(x.data(), Vec<>(n), 1));
        for (std::size_t i = 0; i < x.size(); ++i) {
            float one = 0;
            assign(Tensor<float, Vec<>>(&one, Vec<>(1), 1), function,
                   Tensor<const float, Vec<>>(&x[i], Vec<>(1), 1));
            CHECK(std::memcmp(&one, &y[i], sizeof one) == 0);
            CHECK(std::isnan(y[i]) == (i == 7));
        }
    }
}

TEST_CASE("functions of numbers touch nothing beyond their arrays") {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            for (Index rows = 1; rows <= 70; ++rows) {
                const Guarded x(3 * rows, 1, edge);
                const Guarded one(rows, 2, edge);
                const Guarded per_sample(3, 3, edge);
                const Guarded y(3 * rows, 4, edge);
                const Tensor<float, Vec<>> result(y.data(), Vec<>(rows), 3);
                const Tensor<float, Vec<>> a(x.data(), Vec<>(rows), 3);
                const Tensor<float, Vec<>> b(one.data(), Vec<>(rows), 1);
                const Tensor<float, Vec<>> c(per_sample.data(), Vec<>(1), 3);
                const auto function = [](auto p, auto q) { return p * q; };
                assign(result, function, a, b);
                assign(result, function, a, c);
                add_reduced(b, true, function, result, a);
                add_reduced(c, true, function, result, a);
                change<1>(rows, [](float& p, float q) { p -= q; }, {y.data(), one.data()});
                total(rows, function, {y.data(), one.data()});
            }
        }
    }
    SUCCEED("nothing was killed");
}
