// SPDX-License-Identifier: MIT
#include "untoward/core/packed.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"
#include "support/instruction_sets.hpp"
#include "support/random_numbers.hpp"
#include "support/worst.hpp"
#include "untoward/core/product.hpp"
#include "untoward/core/random.hpp"

using namespace untoward;

TEST_CASE("bfloat16: the nearest number of eight bits, ties to even") {
    REQUIRE(static_cast<float>(BFloat16::from(1.0f)) == 1.0f);
    REQUIRE(static_cast<float>(BFloat16::from(-0.15625f)) == -0.15625f);
    REQUIRE(static_cast<float>(BFloat16::from(1.00390625f)) == 1.0f);  // halfway to 1.0078125: down to even
    REQUIRE(static_cast<float>(BFloat16::from(1.01171875f)) == 1.015625f);  // halfway: up to even
    REQUIRE(static_cast<double>(BFloat16::from(1.0040f)) == 1.0078125);
    REQUIRE(std::isnan(static_cast<float>(BFloat16::from(std::numeric_limits<float>::quiet_NaN()))));
    REQUIRE(std::isinf(static_cast<float>(BFloat16::from(std::numeric_limits<float>::infinity()))));
    RandomStream stream(1);
    for (int i = 0; i < 1000; ++i) {
        const float x = 100 * stream.normal();
        REQUIRE(std::abs(static_cast<float>(BFloat16::from(x)) - x) <= std::abs(x) / 256);
    }
}

namespace {

// A matrix in fewer bits, and what it stands for.
template <class S, class Code>
struct Packed {
    std::vector<Code> codes;
    std::vector<BFloat16> scales;
    std::vector<S> numbers;

    Packed(Index rows, Index depth) {
        RandomStream stream(2);
        for (Index i = 0; i < rows; ++i) {
            if constexpr (std::is_same_v<Code, std::int8_t>)
                scales.push_back(BFloat16::from(0.02f * stream.uniform()));
            for (Index k = 0; k < depth; ++k) {
                if constexpr (std::is_same_v<Code, std::int8_t>) {
                    codes.push_back(static_cast<std::int8_t>(stream.below(256) - 128));
                    numbers.push_back(static_cast<S>(scales.back()) * static_cast<S>(codes.back()));
                } else {
                    codes.push_back(BFloat16::from(stream.normal()));
                    numbers.push_back(static_cast<S>(codes.back()));
                }
            }
        }
    }
    [[nodiscard]] PackedRows<S, Code> rows() const {
        return {codes.data(), scales.empty() ? nullptr : scales.data()};
    }
};

template <class S, class Code>
void check_product(Index rows, Index depth, Index columns, Index gap) {
    INFO(rows << " x " << depth << " x " << columns << ", gap " << gap << ", " << sizeof(Code) << " bytes");
    const Packed<S, Code> w(rows, depth);
    const auto x = random_numbers<S>((depth + gap) * columns, 3);
    const auto bias = random_numbers<S>(rows, 4);
    const auto before = random_numbers<S>((rows + gap) * columns, 5);
    const auto at = [](const auto& v, Index i) {
        return static_cast<double>(v[static_cast<std::size_t>(i)]);
    };
    for (const int how : {0, 1, 2, 3, 4}) {
        const bool add = how % 2 == 1;
        const bool with_bias = how >= 2;
        const bool rectify = how >= 3;
        auto y = before;
        product::forward<S>({y.data(), rows, columns, rows + gap}, w.rows(),
                            {x.data(), depth, columns, depth + gap}, add, with_bias ? bias.data() : nullptr,
                            rectify);
        double worst = 0;
        for (Index j = 0; j < columns; ++j) {
            for (Index i = 0; i < rows + gap; ++i) {
                const Index place = i + j * (rows + gap);
                double sum = add ? at(before, place) : 0;
                for (Index k = 0; k < depth && i < rows; ++k)
                    sum += at(w.numbers, i * depth + k) * at(x, k + j * (depth + gap));
                if (with_bias && i < rows) sum += at(bias, i);
                if (rectify) sum = std::max(sum, 0.0);
                if (i >= rows) sum = at(before, place);
                worst = larger_error(worst, std::abs(sum - at(y, place)));
            }
        }
        CHECK(worst <= (sizeof(S) == 8 ? 1e-13 : 1e-5) * static_cast<double>(1 + depth));
    }
}

template <class Code>
void check_product(Index rows, Index depth, Index columns, Index gap) {
    check_product<float, Code>(rows, depth, columns, gap);
    if (gap == 2) check_product<double, Code>(rows, depth, columns, gap);
}

}  // namespace

TEMPLATE_TEST_CASE("packed rows: a product is that of the numbers that they stand for", "", BFloat16,
                   std::int8_t) {
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        INFO("instruction set " << static_cast<int>(set));
        // Every extent from 1 to 70, each in each place, beside others.
        for (Index i = 1; i <= 70; ++i) {
            const Index others[2] = {1 + (i * 29) % 70, 1 + (i * 43) % 70};
            check_product<TestType>(i, others[0], 1, 0);
            check_product<TestType>(others[0], i, 1 + i % 2, i % 3);
            check_product<TestType>(i, others[0], 1 + others[1] % 9, i % 3);
            check_product<TestType>(others[0], 1 + others[1] % 35, i, i % 2);
        }
        for (const Index depth : {0, 96, 112, 127, 128, 129, 200, 255, 256, 257, 300, 513}) {
            check_product<TestType>(33, depth, 1, 0);
            check_product<TestType>(17, depth, 5, 2);
        }
    }
}

TEMPLATE_TEST_CASE("packed rows: a product touches nothing beyond them", "", BFloat16, std::int8_t) {
    // Codes at that edge of the memory of as many floats, which are larger.
    const auto place = [](const auto& codes, const Guarded& memory, Edge edge) {
        using Code = typename std::remove_cvref_t<decltype(codes)>::value_type;
        const auto size = static_cast<Index>(codes.size());
        Code* const end = reinterpret_cast<Code*>(memory.data() + size);
        Code* const begin = edge == Edge::end ? end - size : reinterpret_cast<Code*>(memory.data());
        std::copy(codes.begin(), codes.end(), begin);
        return begin;
    };
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        for (const Edge edge : {Edge::begin, Edge::end}) {
            for (Index depth = 1; depth <= 140; ++depth) {
                const Index rows = 1 + (depth * 29) % 37;
                const Packed<float, TestType> w(rows, depth);
                const Guarded codes(rows * depth, 1, edge);
                const Guarded scales(rows, 2, edge);
                const Guarded bias(rows, 3, edge);
                const PackedRows<float, TestType> packed{
                    place(w.codes, codes, edge), w.scales.empty() ? nullptr : place(w.scales, scales, edge)};
                for (const Index columns : {1, 4, 9}) {
                    const Guarded x(columns * depth, 4, edge);
                    const Guarded y(columns * rows, 5, edge);
                    product::forward<float>({y.data(), rows, columns, rows}, packed,
                                            {x.data(), depth, columns, depth}, columns == 4, bias.data(),
                                            true);
                }
            }
        }
    }
    SUCCEED("nothing was killed");
}
