// SPDX-License-Identifier: MIT
// Kernels that are translated wrongly are found before they are used. Here some are written wrongly on purpose.
#include "untoward/core/self_check.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"
#include "support/random_numbers.hpp"
#include "untoward/core/elementwise.hpp"
#include "untoward/core/product.hpp"
#include "untoward/core/random.hpp"
#include "untoward/train/adam.hpp"

using namespace untoward;

namespace {

// Functions of numbers with kernels of their own below, in every instruction set.
struct Doubled {
    auto operator()(auto x) const { return x + x; }
};
struct Moved {
    void operator()(auto& x, auto y) const { x += y; }
};
struct Cubed {
    auto operator()(auto x) const { return x * x * x; }
};

// As g++ 12 made of them at -O3: what was there is kept in the first lane only.
void wrong_apply(const void*, const ElementwiseColumns<float>& c) {
    for (Index j = 0; j < c.columns; ++j) {
        for (Index i = 0; i < c.rows; ++i) {
            float& to = c.out[i + j * c.out_stride];
            const float x = c.in[0][i + j * c.in_stride[0]];
            to = c.add && i % 16 == 0 ? to + 2 * x : 2 * x;
        }
    }
}
void wrong_change(const void*, const ChangedColumns<float>& c) {
    for (Index i = 0; i < c.rows; i += 2) c.arrays[0][i] += c.arrays[1][i];
}
float wrong_total(const void*, const float* const* in, Index n) {
    float sum = 0;
    for (Index i = 0; i + 16 <= n; ++i) sum += in[0][i] * in[0][i] * in[0][i];
    return sum;
}

std::vector<KernelFault> told;
void tell(const KernelFault& fault) {
    told.push_back(fault);
}

}  // namespace

#define WRONG_KERNELS(set)                                                                                \
    template <>                                                                                           \
    void untoward::detail::set::apply<float, Doubled, 0>(const void* f,                                   \
                                                         const ElementwiseColumns<float>& c) {            \
        wrong_apply(f, c);                                                                                \
    }                                                                                                     \
    template <>                                                                                           \
    void untoward::detail::set::change<float, Moved, 1, 0, 1>(const void* f,                              \
                                                              const ChangedColumns<float>& c) {           \
        wrong_change(f, c);                                                                               \
    }                                                                                                     \
    template <>                                                                                           \
    float untoward::detail::set::total<float, Cubed, 0>(const void* f, const float* const* in, Index n) { \
        return wrong_total(f, in, n);                                                                     \
    }
WRONG_KERNELS(baseline)
#if UNTOWARD_DISPATCH
WRONG_KERNELS(avx2)
WRONG_KERNELS(avx512)
#endif

TEST_CASE("a kernel: plain loops take its place, and that is told once, when it is translated wrongly") {
    const Index before = faulty_kernels();
    const auto sets = available_instruction_sets();
    told.clear();
    const KernelFaultHandler printed = set_kernel_fault_handler(&tell);
    for (const InstructionSet set : sets) {
        const WithInstructionSet with(set);
        for (const Index n : {Index{1}, Index{7}, Index{16}, Index{100}}) {
            const auto x = random_numbers<float>(n, 1);
            for (const bool add : {false, true}) {
                auto y = random_numbers<float>(n, 2);
                const auto was = y;
                add_reduced(Tensor<float, Vec<>>(y.data(), Vec<>(n), 1), add, Doubled{},
                            Tensor<const float, Vec<>>(x.data(), Vec<>(n), 1));
                for (std::size_t i = 0; i < y.size(); ++i)
                    CHECK(y[i] == Approx((add ? was[i] : 0) + 2 * x[i]));
            }
            auto moved = random_numbers<float>(n, 3);
            auto by = random_numbers<float>(n, 4);
            const auto was = moved;
            change<1>(n, Moved{}, {moved.data(), by.data()});
            for (std::size_t i = 0; i < moved.size(); ++i) CHECK(moved[i] == Approx(was[i] + by[i]));
            double sum = 0;
            for (const float v : x) sum += static_cast<double>(v) * v * v;
            CHECK(total(n, Cubed{}, {x.data()}) == Approx(sum).epsilon(1e-4).margin(1e-5));
        }
    }
    set_kernel_fault_handler(printed);
    REQUIRE(told.size() == 3 * sets.size());
    CHECK(faulty_kernels() - before == static_cast<Index>(told.size()));
    for (std::size_t i = 0; i < told.size(); ++i) {
        constexpr const char* names[] = {"apply in float", "change in float", "total in float"};
        CHECK(told[i].kernel == std::string(names[i % 3]));
        CHECK(told[i].set == sets[i / 3]);
    }
}

namespace {

// A kernel that leaves the last number of what it writes as it was.
template <class S>
void all_but_one(S* numbers, Index n, const std::function<void()>& kernel) {
    const S was = numbers[n - 1];
    kernel();
    numbers[n - 1] = was;
}

template <class S>
bool finds_lost_numbers() {
    const bool found[] = {
        !detail::sum_columns_agrees<S>(
            [](const ColumnSums<S>& c) {
                all_but_one(c.sum, c.rows, [&] { plain::sum_columns<S, true>(c); });
            },
            &plain::sum_columns<S, true>, nullptr),
        !detail::adam_agrees<S>(
            [](const AdamVectors<S>& a) { all_but_one(a.parameters, a.size, [&] { plain::adam<S>(a); }); },
            &plain::adam<S>, nullptr),
        !detail::noise_agrees<S>(
            [](const NoiseColumns<S>& c) { all_but_one(c.out, c.rows, [&] { plain::noise<S, true>(c); }); },
            &plain::noise<S, true>, nullptr),
        !detail::unpack_agrees<S, std::int8_t>(
            [](const UnpackedRows<S, std::int8_t>& u) {
                all_but_one(u.to, u.rows * u.columns, [&] { plain::unpack(u); });
            },
            &plain::unpack<S, std::int8_t>, nullptr)};
    return std::all_of(std::begin(found), std::end(found), [](bool f) { return f; });
}

template <class Number>
bool finds_lost_rows() {
    return !detail::rows_times_agrees<Number>(
        [](const RowsTimes<Number>& p) { all_but_one(p.y, p.rows, [&] { plain::rows_times(p); }); }, nullptr,
        nullptr);
}

}  // namespace

TEST_CASE("a check: it finds a number that a kernel lost") {
    CHECK(finds_lost_numbers<float>());
    CHECK(finds_lost_numbers<double>());
    CHECK(finds_lost_rows<float>());
    CHECK(finds_lost_rows<BFloat16>());
    CHECK(finds_lost_rows<std::int8_t>());
    CHECK(!detail::stream_blocks_agree(
        [](const StreamBlocks& s) {
            all_but_one(s.to, 4 * StreamBlocks::count, [&] { plain::stream_blocks(s); });
        },
        &plain::stream_blocks, nullptr));
    const auto forgets = [](bool TileProduct::*what) {
        static bool TileProduct::*forgotten;
        forgotten = what;
        return !detail::multiply_agrees(
            [](const TileProduct& t) {
                TileProduct other = t;
                other.*forgotten = false;
                plain::multiply(other);
            },
            nullptr, nullptr);
    };
    CHECK(forgets(&TileProduct::add));
    CHECK(forgets(&TileProduct::rectify));
}

TEST_CASE("a check: it agrees with every kernel of this processor") {
    const Index before = faulty_kernels();
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet with(set);
        const auto all = [](auto number) {
            using S = decltype(number);
            const std::vector<const void*> kernels = {
                reinterpret_cast<const void*>(detail::sum_columns_table<S, false>.in_use()),
                reinterpret_cast<const void*>(detail::sum_columns_table<S, true>.in_use()),
                reinterpret_cast<const void*>(detail::adam_table<S>.in_use()),
                reinterpret_cast<const void*>(detail::noise_table<S, false>.in_use()),
                reinterpret_cast<const void*>(detail::noise_table<S, true>.in_use()),
                reinterpret_cast<const void*>(detail::unpack_table<S, BFloat16>.in_use()),
                reinterpret_cast<const void*>(detail::unpack_table<S, std::int8_t>.in_use())};
            for (const void* kernel : kernels) CHECK(kernel != nullptr);
        };
        all(float());
        all(double());
        CHECK(detail::stream_blocks_table.in_use() != nullptr);
#if UNTOWARD_DISPATCH
        const bool has_products = set != InstructionSet::baseline;
        CHECK((multiply_kernel() != nullptr) == has_products);
        CHECK((rows_times_kernel<float>() != nullptr) == has_products);
        CHECK((rows_times_kernel<BFloat16>() != nullptr) == has_products);
        CHECK((rows_times_kernel<std::int8_t>() != nullptr) == has_products);
#endif
    }
    CHECK(faulty_kernels() == before);
}
