// SPDX-License-Identifier: MIT
// Functions of numbers, over arrays: see core/elementwise.hpp. core/kernels.hpp includes this file once for each
// instruction set, and once for what the compiler was told to use; on its own it is empty.
//
// The compiler makes vector instructions, at -O2 as well, of a loop whose length it knows and whose results nothing
// else can see. So there is one such loop over a few lanes, and no other copy of the function: what is left over at
// the end is filled up.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

#if defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__)
inline constexpr Index lanes = 16;
#else
inline constexpr Index lanes = 1;
#endif

// The arrays that a step of the loop reads, at its beginning.
template <class S, std::size_t Count>
struct Lanes {
    const S* from[Count];
    alignas(64) S filled[Count][lanes];

    // Where only `some` are left: they, and the last one again, in place of the arrays.
    void fill_up(Index some) {
        for (std::size_t k = 0; k < Count; ++k) {
            for (Index l = 0; l < lanes; ++l) filled[k][l] = from[k][l < some ? l : some - 1];
            from[k] = filled[k];
        }
    }
};

// Column by column, out[i] = function(in[0][i], in[1][i], ...), or += where it says so.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) void apply(const void* erased, const ElementwiseColumns<S>& c) {
    const Function& function = *static_cast<const Function*>(erased);
    for (Index j = 0; j < c.columns; ++j) {
        Lanes<S, sizeof...(I)> x{{c.in[I] + j * c.in_stride[I]...}, {}};
        S* out = c.out + j * c.out_stride;
        const bool add = c.add || (j > 0 && c.out_stride == 0);
        for (Index n = c.rows; n > 0; n -= lanes) {
            if (n < lanes) x.fill_up(n);
            alignas(64) S result[lanes];
            for (Index l = 0; l < lanes; ++l) result[l] = static_cast<S>(function(x.from[I][l]...));
            if (n < lanes) {
                for (Index l = 0; l < n; ++l) out[l] = add ? out[l] + result[l] : result[l];
                break;
            }
            if (add) {
                for (Index l = 0; l < lanes; ++l) result[l] += out[l];
            }
            __builtin_memcpy(out, result, sizeof result);
            out += lanes;
            ((x.from[I] += lanes), ...);
        }
    }
}

// function(x[0][i], x[1][i], ...) by reference: the first `Changed` arrays receive what it left in them.
template <class S, class Function, std::size_t Changed, std::size_t... I>
__attribute__((flatten)) void change(const void* erased, S* const* arrays, Index n) {
    const Function& function = *static_cast<const Function*>(erased);
    Lanes<S, sizeof...(I)> x{{arrays[I]...}, {}};
    S* to[] = {arrays[I]...};
    for (; n > 0; n -= lanes) {
        if (n < lanes) x.fill_up(n);
        alignas(64) S result[sizeof...(I)][lanes];
        const auto one = [&](Index l, auto... values) {
            function(values...);
            ((result[I][l] = values), ...);
        };
        for (Index l = 0; l < lanes; ++l) one(l, x.from[I][l]...);
        if (n < lanes) {
            for (std::size_t k = 0; k < Changed; ++k) {
                for (Index l = 0; l < n; ++l) to[k][l] = result[k][l];
            }
            return;
        }
        ((I < Changed ? static_cast<void>(__builtin_memcpy(to[I], result[I], sizeof result[I]))
                      : static_cast<void>(0)),
         ...);
        ((x.from[I] += lanes, to[I] += lanes), ...);
    }
}

// The sum of function(in[0][i], in[1][i], ...): of every 64th in order, then of those.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) S total(const void* erased, const S* const* in, Index n) {
    constexpr Index together = 4 * lanes;
    const Function& function = *static_cast<const Function*>(erased);
    S sums[together] = {};
    const S* from[] = {in[I]...};
    Index i = 0;
    for (; i + together <= n; i += together) {
        for (Index l = 0; l < together; ++l) sums[l] += static_cast<S>(function(from[I][l]...));
        ((from[I] += together), ...);
    }
    S rest = 0;
    for (; i < n; ++i) {
        rest += static_cast<S>(function(*from[I]...));
        ((++from[I]), ...);
    }
    for (Index half = together / 2; half > 0; half /= 2) {
        for (Index l = 0; l < half; ++l) sums[l] += sums[l + half];
    }
    return sums[0] + rest;
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#endif
