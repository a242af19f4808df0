// SPDX-License-Identifier: MIT
// Noise for a batch: see core/random.hpp. core/kernels.hpp includes this file once for each instruction set, and once
// for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off", "no-math-errno")
#endif

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

#ifdef UNTOWARD_KERNEL_TILES
typedef std::uint32_t Words __attribute__((vector_size(UNTOWARD_KERNEL_BYTES)));
typedef std::uint32_t WordsAnywhere
    __attribute__((vector_size(UNTOWARD_KERNEL_BYTES), aligned(4), may_alias));
typedef std::uint64_t Pairs __attribute__((vector_size(UNTOWARD_KERNEL_BYTES)));
typedef int Signed __attribute__((vector_size(UNTOWARD_KERNEL_BYTES)));
typedef long long SignedPairs __attribute__((vector_size(UNTOWARD_KERNEL_BYTES)));

// The products of every second word, the lower of each pair: compilers take a product of 64-bit numbers here, which is
// several times slower.
UNTOWARD_INLINE Pairs multiply_lower(Pairs a, Pairs b) {
#if UNTOWARD_KERNEL_BYTES == 64 && defined(__clang__)
    return reinterpret_cast<Pairs>(
        __builtin_ia32_pmuludq512(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#elif UNTOWARD_KERNEL_BYTES == 64
    return reinterpret_cast<Pairs>(__builtin_ia32_pmuludq512_mask(
        reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b), SignedPairs{}, 0xff));
#else
    return reinterpret_cast<Pairs>(
        __builtin_ia32_pmuludq256(reinterpret_cast<Signed>(a), reinterpret_cast<Signed>(b)));
#endif
}
// The upper and the lower words of the products of all words with one.
UNTOWARD_INLINE void multiply_words(Words x, std::uint32_t factor, Words& upper, Words& lower) {
    const auto pairs = reinterpret_cast<Pairs>(x);
    const Pairs factors = Pairs{} + factor;
    const Pairs even = multiply_lower(pairs, factors);
    const Pairs odd = multiply_lower(pairs >> 32, factors);
    const Pairs low = Pairs{} + 0xffffffffu;
    lower = reinterpret_cast<Words>((even & low) | (odd << 32));
    upper = reinterpret_cast<Words>((even >> 32) | (odd & ~low));
}
#endif

// Ten rounds of Philox over counters side by side.
template <class S>
UNTOWARD_INLINE void philox_rounds(std::uint32_t (&counter)[4][lanes<S>], std::uint32_t k0,
                                   std::uint32_t k1) {
#ifdef UNTOWARD_KERNEL_TILES
    if constexpr (sizeof(S) == sizeof(std::uint32_t)) {
        Words c[4];
        for (int i = 0; i < 4; ++i) c[i] = *reinterpret_cast<const WordsAnywhere*>(counter[i]);
        for (int round = 0; round < 10; ++round) {
            Words upper[2];
            Words lower[2];
            multiply_words(c[0], philox_factor_0, upper[0], lower[0]);
            multiply_words(c[2], philox_factor_1, upper[1], lower[1]);
            c[0] = upper[1] ^ c[1] ^ k0;
            c[1] = lower[1];
            c[2] = upper[0] ^ c[3] ^ k1;
            c[3] = lower[0];
            k0 += philox_step_0;
            k1 += philox_step_1;
        }
        for (int i = 0; i < 4; ++i) *reinterpret_cast<WordsAnywhere*>(counter[i]) = c[i];
        return;
    }
#endif
    for (int round = 0; round < 10; ++round) {
        for (Index l = 0; l < lanes<S>; ++l)
            philox_round(counter[0][l], counter[1][l], counter[2][l], counter[3][l], k0, k1);
        k0 += philox_step_0;
        k1 += philox_step_1;
    }
}

#if UNTOWARD_KERNEL_BYTES >= 16
// The lanes of two vectors by turns: a0 b0 a1 b1 ... of their first halves, or of their second.
template <bool Second, class S, std::size_t... L>
UNTOWARD_INLINE Vector<S> zip(Vector<S> a, Vector<S> b, std::index_sequence<L...>) {
    constexpr std::size_t n = sizeof...(L);
    return __builtin_shufflevector(a, b, (L / 2 + (L % 2) * n + (Second ? n / 2 : 0))...);
}
#endif

// to[4 l + i] = values[i][l]
template <class S>
UNTOWARD_INLINE void store_fours(S* to, const S (&values)[4][lanes<S>]) {
#if UNTOWARD_KERNEL_BYTES >= 16
    using Lanes = std::make_index_sequence<static_cast<std::size_t>(lanes<S>)>;
    const Vector<S> x[4] = {load_vector(values[0]), load_vector(values[1]), load_vector(values[2]),
                            load_vector(values[3])};
    const Vector<S> even[2] = {zip<false, S>(x[0], x[2], Lanes{}), zip<true, S>(x[0], x[2], Lanes{})};
    const Vector<S> odd[2] = {zip<false, S>(x[1], x[3], Lanes{}), zip<true, S>(x[1], x[3], Lanes{})};
    for (int h = 0; h < 2; ++h) {
        store_vector(to + 2 * h * lanes<S>, zip<false, S>(even[h], odd[h], Lanes{}));
        store_vector(to + (2 * h + 1) * lanes<S>, zip<true, S>(even[h], odd[h], Lanes{}));
    }
#else
    for (Index l = 0; l < lanes<S>; ++l) {
        for (Index i = 0; i < 4; ++i) to[4 * l + i] = values[i][l];
    }
#endif
}

// Blocks of a stream, as many as are drawn at once.
inline void stream_blocks(const StreamBlocks& s) {
    using Word = std::uint32_t;
    static_assert(StreamBlocks::count % lanes<Word> == 0);
    for (Index i = 0; i < StreamBlocks::count; i += lanes<Word>) {
        alignas(64) Word counter[4][lanes<Word>];
        for (Index l = 0; l < lanes<Word>; ++l) {
            const std::uint64_t number = s.first + static_cast<std::uint64_t>(i + l);
            counter[0][l] = static_cast<Word>(number);
            counter[1][l] = static_cast<Word>(number >> 32);
            counter[2][l] = s.epoch;
            counter[3][l] = stream_domain;
        }
        philox_rounds<Word>(counter, s.key[0], s.key[1]);
        store_fours(s.to + 4 * i, counter);
    }
}

// Four numbers of every lane from the words of its counter.
template <class S, bool Normal>
UNTOWARD_INLINE void numbers_from(const std::uint32_t (&words)[4][lanes<S>], S (&values)[4][lanes<S>]) {
    if constexpr (Normal) {
        for (int p = 0; p < 4; p += 2) {
            for (Index l = 0; l < lanes<S>; ++l) values[p][l] = squared_radius<S>(words[p][l]);
            roots(values[p]);
            for (Index l = 0; l < lanes<S>; ++l)
                turn(values[p][l], words[p + 1][l], values[p][l], values[p + 1][l]);
        }
    } else {
        for (int i = 0; i < 4; ++i) {
            for (Index l = 0; l < lanes<S>; ++l) values[i][l] = uniform_from<S>(words[i][l]);
        }
    }
}

// One block of four words after another, whichever samples they belong to.
template <class S, bool Normal>
void noise(const NoiseColumns<S>& c) {
    // Counters are written one by one, long before they are read as vectors: a processor would wait for each of them.
    constexpr Index together = lanes<S> == 1 ? 1 : 8 * lanes<S>;
    struct Place {
        Index sample = 0;
        Index block = 0;

        UNTOWARD_INLINE void advance(Index blocks) {
            const bool is_last = block + 1 == blocks;
            block = is_last ? 0 : block + 1;
            sample += is_last ? 1 : 0;
        }
    };
    const Index blocks = (c.rows + 3) / 4;
    const Index all = blocks * c.columns;
    const bool packed = c.rows % 4 == 0 && c.stride == c.rows;  // one block after another
    std::uint32_t block[together] = {};                         // beyond the last, whatever was there before
    std::uint32_t sample[together] = {};
    Place next;
    Place written;
    for (Index done = 0; done < all; done += lanes<S>) {
        const Index at = done % together;
        if (at == 0) {
            const Index count = all - done < together ? all - done : together;
            for (Index i = 0; i < count; ++i, next.advance(blocks)) {
                block[i] = static_cast<std::uint32_t>(next.block);
                sample[i] = c.samples != nullptr ? c.samples[next.sample] : c.sample;
            }
        }
        alignas(64) std::uint32_t words[4][lanes<S>];
        for (Index l = 0; l < lanes<S>; ++l) words[0][l] = block[at + l];
        for (Index l = 0; l < lanes<S>; ++l) words[1][l] = sample[at + l];
        for (Index l = 0; l < lanes<S>; ++l) words[2][l] = c.epoch;
        for (Index l = 0; l < lanes<S>; ++l) words[3][l] = noise_domain;
        philox_rounds<S>(words, c.key[0], c.key[1]);
        alignas(64) S values[4][lanes<S>];
        numbers_from<S, Normal>(words, values);
        if (packed && done + lanes<S> <= all) {
            store_fours(c.out + 4 * done, values);
            continue;
        }
        if (packed) written = {done / blocks, done % blocks};
        const Index some = all - done < lanes<S> ? all - done : lanes<S>;
        for (Index l = 0; l < some; ++l, written.advance(blocks)) {
            S* const to = c.out + written.sample * c.stride + 4 * written.block;
            const Index count = c.rows - 4 * written.block < 4 ? c.rows - 4 * written.block : 4;
            for (Index i = 0; i < count; ++i) to[i] = values[i][l];
        }
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

#endif
