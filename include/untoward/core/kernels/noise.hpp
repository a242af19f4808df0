// SPDX-License-Identifier: MIT
// Noise for a batch: see core/random.hpp. core/kernels.hpp includes this file once for each instruction set, and once
// for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC push_options
#pragma GCC optimize("fp-contract=off", "no-math-errno")
#endif

namespace untoward::detail::UNTOWARD_KERNEL_SET {

// A few blocks of four words at a time, whichever samples they belong to.
template <class S, bool Normal>
void noise(const NoiseColumns<S>& c) {
    const Index blocks = (c.rows + 3) / 4;
    const Index all = blocks * c.columns;
    const bool packed = c.rows % 4 == 0 && c.stride == c.rows;  // one block after another
    Index sample = 0;
    Index block = 0;
    for (Index done = 0; done < all; done += lanes) {
        const Index some = all - done < lanes ? all - done : lanes;
        S* to[lanes];
        Index count[lanes];
        alignas(64) std::uint32_t counter[4][lanes];
        for (Index l = 0; l < lanes; ++l) {
            const bool is_one = l < some;
            to[l] = c.out + sample * c.stride + 4 * block;
            count[l] = !is_one ? 0 : c.rows - 4 * block < 4 ? c.rows - 4 * block : 4;
            counter[0][l] = static_cast<std::uint32_t>(block);
            counter[1][l] = is_one && c.samples != nullptr ? c.samples[sample] : c.sample;
            counter[2][l] = c.epoch;
            counter[3][l] = noise_domain;
            if (++block == blocks) {
                block = 0;
                ++sample;
            }
        }
        std::uint32_t k0 = c.key[0];
        std::uint32_t k1 = c.key[1];
        for (int round = 0; round < 10; ++round) {
            for (Index l = 0; l < lanes; ++l)
                philox_round(counter[0][l], counter[1][l], counter[2][l], counter[3][l], k0, k1);
            k0 += philox_step_0;
            k1 += philox_step_1;
        }
        alignas(64) S values[4][lanes];
        if constexpr (Normal) {
            for (int p = 0; p < 4; p += 2) {
                for (Index l = 0; l < lanes; ++l) values[p][l] = squared_radius<S>(counter[p][l]);
                roots(values[p]);
                for (Index l = 0; l < lanes; ++l)
                    turn(values[p][l], counter[p + 1][l], values[p][l], values[p + 1][l]);
            }
        } else {
            for (int i = 0; i < 4; ++i) {
                for (Index l = 0; l < lanes; ++l) values[i][l] = uniform_from<S>(counter[i][l]);
            }
        }
        if (packed && some == lanes) {
            S* const out = c.out + 4 * done;
            for (Index l = 0; l < lanes; ++l) {
                for (Index i = 0; i < 4; ++i) out[4 * l + i] = values[i][l];
            }
            continue;
        }
        for (Index l = 0; l < some; ++l) {
            for (Index i = 0; i < count[l]; ++i) to[l][i] = values[i][l];
        }
    }
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC pop_options
#endif

#endif
