// SPDX-License-Identifier: MIT
// A function of numbers, over arrays: see core/elementwise.hpp. core/kernels.hpp includes this file once for each
// instruction set, and once for what the compiler was told to use; on its own it is empty.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

// out[i] = function(in[0][i], in[1][i], ...). The compiler makes vector instructions of a loop whose length it knows
// and whose results nothing else can see, at -O2 as well; so there is one, and no other copy of the function.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) void apply(const void* erased, S* out, const S* const* in, Index n) {
    const Function& function = *static_cast<const Function*>(erased);
#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__)
    constexpr Index lanes = 16;
    const S* from[] = {in[I]...};
    for (Index i = 0; i < n; i += lanes) {
        const Index some = n - i < lanes ? n - i : lanes;
        S padded[sizeof...(I)][lanes];
        if (some < lanes) {
            for (std::size_t k = 0; k < sizeof...(I); ++k) {
                for (Index l = 0; l < lanes; ++l) padded[k][l] = from[k][l < some ? l : some - 1];
                from[k] = padded[k];
            }
        }
        S result[lanes];
        for (Index l = 0; l < lanes; ++l) result[l] = static_cast<S>(function(from[I][l]...));
        if (some < lanes) {
            for (Index l = 0; l < some; ++l) out[i + l] = result[l];
        } else {
            for (Index l = 0; l < lanes; ++l) out[i + l] = result[l];
        }
        ((from[I] += lanes), ...);
    }
#else
    for (Index i = 0; i < n; ++i) out[i] = static_cast<S>(function(in[I][i]...));
#endif
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
