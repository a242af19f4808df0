// SPDX-License-Identifier: MIT
#include "untoward/core/random.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <set>
#include <type_traits>
#include <vector>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

using namespace untoward;

namespace {

using Block = std::array<std::uint32_t, 4>;

// Random123 1.14, kat_vectors, philox4x32 with 10 rounds. They hold at compile time, too.
static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
static_assert(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
static_assert(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});

template <class S>
std::vector<S> normals(Index n, const NoiseKey& key) {
    std::vector<S> out(static_cast<std::size_t>(n));
    fill_normal(out.data(), n, key);
    return out;
}

template <class S>
std::vector<S> uniforms(Index n, const NoiseKey& key) {
    std::vector<S> out(static_cast<std::size_t>(n));
    fill_uniform(out.data(), n, key);
    return out;
}

/// sqrt(n) times the Kolmogorov-Smirnov distance; above 1.95 with probability 0.001.
template <class S, class Cdf>
double ks_statistic(std::vector<S> sample, Cdf cdf) {
    std::sort(sample.begin(), sample.end());
    const auto n = static_cast<double>(sample.size());
    double distance = 0;
    for (std::size_t i = 0; i < sample.size(); ++i) {
        const double p = cdf(static_cast<double>(sample[i]));
        distance = std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
    }
    return std::sqrt(n) * distance;
}

double normal_cdf(double x) {
    return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum / static_cast<double>(a.size());
}

template <class S>
std::uint64_t fnv1a(const std::vector<S>& values) {
    using Bits = std::conditional_t<sizeof(S) == 4, std::uint32_t, std::uint64_t>;
    std::uint64_t hash = 14695981039346656037u;
    for (const S value : values) {
        const Bits bits = std::bit_cast<Bits>(value);
        for (std::size_t i = 0; i < sizeof(S); ++i) {
            hash = (hash ^ ((bits >> (8 * i)) & 255u)) * 1099511628211u;
        }
    }
    return hash;
}

}  // namespace

TEST_CASE("philox4x32-10 gives the published known answers at run time") {
    volatile std::uint32_t run_time = 0x243f6a88;
    CHECK(philox4x32({run_time, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEMPLATE_TEST_CASE("noise: an element depends on its key and its place, not on how many are asked for", "",
                   float, double) {
    const NoiseKey key{.seed = 11, .site = 22, .epoch = 3, .sample = 4};
    const auto all = normals<TestType>(101, key);
    const auto all_uniform = uniforms<TestType>(101, key);
    for (Index n = 0; n <= 101; ++n) {
        // One place more than asked for, to see that it is left alone.
        std::vector<TestType> some(static_cast<std::size_t>(n) + 1, TestType(99));
        fill_normal(some.data(), n, key);
        CHECK(std::equal(some.begin(), some.end() - 1, all.begin()));
        CHECK(some.back() == TestType(99));
        fill_uniform(some.data(), n, key);
        CHECK(std::equal(some.begin(), some.end() - 1, all_uniform.begin()));
        CHECK(some.back() == TestType(99));
    }
}

TEST_CASE("noise: every part of a key matters, and no two keys share values") {
    const NoiseKey base{.seed = 1, .site = 1, .epoch = 1, .sample = 1};
    std::vector<NoiseKey> keys{base};
    for (const std::uint64_t other :
         {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{1} << 32, ~std::uint64_t{0}}) {
        NoiseKey key = base;
        key.seed = other;
        keys.push_back(key);
        key = base;
        key.site = other;
        keys.push_back(key);
    }
    for (const std::uint32_t other : {0u, 2u, 1u << 16, ~0u}) {
        NoiseKey key = base;
        key.epoch = other;
        keys.push_back(key);
        key = base;
        key.sample = other;
        keys.push_back(key);
    }
    std::set<double> seen;
    for (const NoiseKey& key : keys) {
        for (const double value : uniforms<double>(8, key)) seen.insert(value);
    }
    CHECK(seen.size() == 8 * keys.size());
}

TEST_CASE("noise: neighbouring keys and elements are uncorrelated") {
    constexpr Index n = 40000;
    const double limit = 3.9 / std::sqrt(static_cast<double>(n));  // two-sided, 1 in 10,000
    const auto base = normals<double>(n, {.seed = 1, .site = 1, .epoch = 1, .sample = 1});
    CHECK(std::abs(correlation(base, normals<double>(n, {.seed = 2, .site = 1, .epoch = 1, .sample = 1}))) <
          limit);
    CHECK(std::abs(correlation(base, normals<double>(n, {.seed = 1, .site = 2, .epoch = 1, .sample = 1}))) <
          limit);
    CHECK(std::abs(correlation(base, normals<double>(n, {.seed = 1, .site = 1, .epoch = 2, .sample = 1}))) <
          limit);
    CHECK(std::abs(correlation(base, normals<double>(n, {.seed = 1, .site = 1, .epoch = 1, .sample = 2}))) <
          limit);
    for (const int lag : {1, 2, 3, 4, 16}) {
        auto shifted = base;
        std::rotate(shifted.begin(), shifted.begin() + lag, shifted.end());
        CHECK(std::abs(correlation(base, shifted)) < limit);
    }
    // Across samples, too: the first element of every sample is what a one-dimensional latent variable sees.
    std::vector<double> first;
    for (std::uint32_t sample = 0; sample < 20000; ++sample) {
        first.push_back(normals<double>(1, {.seed = 9, .site = 5, .epoch = 0, .sample = sample})[0]);
    }
    CHECK(ks_statistic(first, normal_cdf) < 1.95);
}

TEMPLATE_TEST_CASE("noise: normals are normal", "", float, double) {
    constexpr Index n = 200000;
    const auto values = normals<TestType>(n, {.seed = 3, .site = 1, .epoch = 4, .sample = 1});
    double mean = 0, square = 0, cube = 0, fourth = 0, largest = 0;
    for (const TestType value : values) {
        const double x = static_cast<double>(value);
        mean += x / n;
        square += x * x / n;
        cube += x * x * x / n;
        fourth += x * x * x * x / n;
        largest = std::max(largest, std::abs(x));
    }
    // Four standard errors each.
    CHECK(std::abs(mean) < 4 * std::sqrt(1.0 / n));
    CHECK(std::abs(square - 1) < 4 * std::sqrt(2.0 / n));
    CHECK(std::abs(cube) < 4 * std::sqrt(15.0 / n));
    CHECK(std::abs(fourth - 3) < 4 * std::sqrt(96.0 / n));
    CHECK(largest > 4.0);
    CHECK(largest < 6.77);
    CHECK(ks_statistic(values, normal_cdf) < 1.95);
}

TEMPLATE_TEST_CASE("noise: uniforms are uniform and inside the open interval", "", float, double) {
    const auto values = uniforms<TestType>(200000, {.seed = 5, .site = 6});
    CHECK(ks_statistic(values, [](double x) { return x; }) < 1.95);
    CHECK(detail::uniform_from<TestType>(0) > 0);
    CHECK(detail::uniform_from<TestType>(0xffffffff) < 1);
    CHECK(1 - detail::uniform_from<TestType>(0xffffffff) == detail::uniform_from<TestType>(0));
}

TEST_CASE("noise: the series agree with the C library to the documented error") {
    std::vector<std::uint32_t> corners{0u,          1u,          2u,  0x7fffffffu, 0x80000000u,
                                       0xb504f333u, 0xb504f334u, ~1u, ~0u};
    for (std::uint32_t octant = 1; octant < 8; ++octant) {
        corners.push_back((octant << 29) - 1);
        corners.push_back(octant << 29);
    }
    std::vector<std::array<std::uint32_t, 2>> pairs;
    for (const std::uint32_t radius : corners) {
        for (const std::uint32_t angle : corners) pairs.push_back({radius, angle});
    }
    RandomStream stream(1);
    for (int i = 0; i < 100000; ++i) pairs.push_back({stream.bits(), stream.bits()});

    double worst_float = 0, worst_double = 0;
    for (const auto& words : pairs) {
        const double u = (words[0] + 0.5) * 0x1p-32;
        const double below_one = (static_cast<double>(~words[0]) + 0.5) * 0x1p-32;
        const double radius = std::sqrt(-2 * (u < 0.5 ? std::log(u) : std::log1p(-below_one)));
        // The C library's cos is exact enough at the angle, but the angle itself is rounded: reduce it first.
        const std::uint32_t quadrant = (words[1] + (1u << 29)) >> 30;
        const auto rest = static_cast<std::int32_t>(words[1] - (quadrant << 30));
        const double angle = (rest + 0.5) * (0x1p-31 * std::numbers::pi);
        const double cosines[4] = {std::cos(angle), -std::sin(angle), -std::cos(angle), std::sin(angle)};
        const double expected[2] = {radius * cosines[quadrant % 4], radius * cosines[(quadrant + 3) % 4]};
        float single[2];
        double twice[2];
        detail::normal_pair(words.data(), single);
        detail::normal_pair(words.data(), twice);
        for (int i = 0; i < 2; ++i) {
            worst_float = std::max(worst_float, std::abs(static_cast<double>(single[i]) / expected[i] - 1));
            worst_double = std::max(worst_double, std::abs(twice[i] / expected[i] - 1));
        }
    }
    CHECK(worst_float < 3.5e-7);
    CHECK(worst_double < 1.2e-15);  // the reference's own rounding is in it
}

TEST_CASE("noise: the same bits from every compiler, optimisation level and instruction set") {
    const NoiseKey key{.seed = 7, .site = 3, .epoch = 1, .sample = 2};
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet use(set);
        CHECK(fnv1a(normals<float>(4096, key)) == 0xc86e5f69742ab262u);
        CHECK(fnv1a(normals<double>(4096, key)) == 0x6384cdb664dca672u);
    }
}

TEMPLATE_TEST_CASE("noise: every column is that of its own sample, at any stride", "", float, double) {
    using S = TestType;
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet use(set);
        for (const Index rows : {1, 2, 3, 4, 5, 8, 17}) {
            for (const std::size_t columns : {0u, 1u, 31u, 129u, 200u}) {
                for (const Index stride : {rows, rows + 3}) {
                    std::vector<std::uint32_t> ids(columns);
                    for (std::size_t j = 0; j < columns; ++j) ids[j] = static_cast<std::uint32_t>(7 * j + 3);
                    const NoiseKey key{.seed = 5, .site = 2, .epoch = 1};
                    const auto check = [&](const auto& fill_all, const auto& fill_one) {
                        std::vector<S> all(static_cast<std::size_t>(stride) * columns, S(99));
                        std::vector<S> expected = all;
                        fill_all(all.data());
                        for (std::size_t j = 0; j < columns; ++j) {
                            NoiseKey own = key;
                            own.sample = ids[j];
                            fill_one(expected.data() + static_cast<std::size_t>(stride) * j, own);
                        }
                        REQUIRE(all == expected);
                    };
                    check([&](S* to) { fill_normal<S>(to, rows, stride, key, ids); },
                          [&](S* to, const NoiseKey& own) { fill_normal<S>(to, rows, own); });
                    check([&](S* to) { fill_uniform<S>(to, rows, stride, key, ids); },
                          [&](S* to, const NoiseKey& own) { fill_uniform<S>(to, rows, own); });
                }
            }
        }
    }
}

TEST_CASE("random stream: the words of Philox, whatever computes them") {
    constexpr std::uint64_t seed = 0x123456789abcdef, site = 5;
    constexpr std::uint32_t epoch = 9;
    constexpr int count = 150;
    constexpr auto in_the_compiler = [] {
        std::array<std::uint32_t, count> words{};
        RandomStream stream(seed, site, epoch);
        for (std::uint32_t& word : words) word = stream.bits();
        return words;
    }();
    for (const InstructionSet set : available_instruction_sets()) {
        const WithInstructionSet use(set);
        RandomStream stream(seed, site, epoch);
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto block =
                philox4x32({i / 4, 0, epoch, detail::stream_domain}, detail::philox_key(seed, site));
            const std::uint32_t word = stream.bits();
            REQUIRE(word == block[i % 4]);
            REQUIRE(word == in_the_compiler[i]);
        }
    }
}

TEST_CASE("random stream: reproducible, and apart from the noise of the same seed and site") {
    RandomStream a(7, 3), b(7, 3), other_epoch(7, 3, 1);
    const auto noise = uniforms<double>(64, {.seed = 7, .site = 3});
    const std::set<double> of_noise(noise.begin(), noise.end());
    for (int i = 0; i < 64; ++i) {
        const double value = a.uniform<double>();
        CHECK(value == b.uniform<double>());
        CHECK(value != other_epoch.uniform<double>());
        CHECK(of_noise.count(value) == 0);
    }
}

TEMPLATE_TEST_CASE("random stream: uniform and normal have their distributions", "", float, double) {
    RandomStream stream(12);
    std::vector<TestType> uniform, normal;
    for (int i = 0; i < 50000; ++i) {
        uniform.push_back(stream.uniform<TestType>());
        normal.push_back(stream.normal<TestType>());
    }
    CHECK(ks_statistic(uniform, [](double x) { return x; }) < 1.95);
    CHECK(ks_statistic(normal, normal_cdf) < 1.95);
}

TEST_CASE("random stream: below(n) reaches every value equally often") {
    RandomStream stream(4);
    for (const Index n : {Index{1}, Index{2}, Index{3}, Index{7}, Index{16}, Index{1000}}) {
        std::vector<double> count(static_cast<std::size_t>(n));
        const double expected = 200;
        for (Index i = 0; i < n * 200; ++i) {
            const Index value = stream.below(n);
            count.at(static_cast<std::size_t>(value)) += 1;
        }
        double chi_squared = 0;
        for (const double c : count) chi_squared += (c - expected) * (c - expected) / expected;
        const double freedom = static_cast<double>(n - 1);
        CHECK(chi_squared <= freedom + 4.5 * std::sqrt(2 * freedom));
    }
    // More than 32 bits wide.
    const Index huge = (Index{1} << 40) + 1;
    Index largest = 0;
    for (int i = 0; i < 1000; ++i) largest = std::max(largest, stream.below(huge));
    CHECK(largest < huge);
    CHECK(largest > huge / 100 * 98);
}

TEST_CASE("permutation: each index once, and reproducible") {
    for (const std::size_t n : {0u, 1u, 2u, 3u, 10u, 1000u}) {
        std::vector<Index> order(n, -1), again(n, -1);
        permutation(7, 1, order);
        permutation(7, 1, again);
        CHECK(order == again);
        if (n >= 10) {
            permutation(7, 1, again, 1);
            CHECK(order != again);
            permutation(7, 2, again);
            CHECK(order != again);
            permutation(8, 1, again);
            CHECK(order != again);
        }
        std::sort(order.begin(), order.end());
        for (std::size_t i = 0; i < n; ++i) CHECK(order[i] == static_cast<Index>(i));
    }
    constexpr auto at_compile_time = [] {
        std::array<Index, 5> order{};
        permutation(1, 2, order);
        return order;
    }();
    std::array<Index, 5> at_run_time{};
    permutation(1, 2, at_run_time);
    CHECK(at_compile_time == at_run_time);
}

TEST_CASE("permutation: every order is equally likely") {
    std::array<double, 24> count{};
    constexpr int draws = 24000;
    for (std::uint64_t seed = 0; seed < draws; ++seed) {
        std::array<Index, 4> order{};
        permutation(seed, 0, order);
        std::array<Index, 4> sorted{0, 1, 2, 3};
        std::size_t rank = 0;
        while (sorted != order) {
            std::next_permutation(sorted.begin(), sorted.end());
            ++rank;
        }
        count[rank] += 1;
    }
    double chi_squared = 0;
    for (const double c : count) chi_squared += (c - draws / 24.0) * (c - draws / 24.0) / (draws / 24.0);
    CHECK(chi_squared < 52.6);  // 23 degrees of freedom, 1 in 2,500
}
