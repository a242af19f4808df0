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

// The first n of fewer than `lanes` numbers.
template <class S>
UNTOWARD_INLINE void copy_some(S* to, const S* from, Index n) {
    static_assert(lanes <= 16);
    for (Index part = lanes / 2; part > 0; part /= 2) {
        if ((n & part) == 0) continue;
        for (Index l = 0; l < part; ++l) to[l] = from[l];
        to += part;
        from += part;
    }
}

// The arrays that a step of the loop reads and writes. At the end, where fewer than `lanes` are left, spare room takes
// their place, so that the step itself is always the same.
template <class S, std::size_t In, std::size_t Out>
struct Lanes {
    const S* from[In];
    S* to[Out];
    S spare_in[In][lanes];
    S spare_out[Out][lanes];

    UNTOWARD_INLINE void spare(Index some) {
        for (std::size_t k = 0; k < In; ++k) {
            for (Index l = 0; l < lanes; ++l) spare_in[k][l] = 0;
            copy_some(spare_in[k], from[k], some);
            from[k] = spare_in[k];
        }
    }
    UNTOWARD_INLINE S* target(std::size_t k, Index left) { return left < lanes ? spare_out[k] : to[k]; }
    UNTOWARD_INLINE void finish(Index some) {
        for (std::size_t k = 0; k < Out; ++k) copy_some(to[k], spare_out[k], some);
    }
};

// Column by column, out[i] = function(in[0][i], in[1][i], ...), or += where it says so.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) void apply(const void* erased, const ElementwiseColumns<S>& c) {
    const Function& function = *static_cast<const Function*>(erased);
    Lanes<S, sizeof...(I), 1> x;
    for (Index j = 0; j < c.columns; ++j) {
        ((x.from[I] = c.in[I] + j * c.in_stride[I]), ...);
        x.to[0] = c.out + j * c.out_stride;
        const bool add = c.add || (j > 0 && c.out_stride == 0);
        for (Index n = c.rows; n > 0; n -= lanes) {
            if (n < lanes) {
                x.spare(n);
                if (add) copy_some(x.spare_out[0], x.to[0], n);
            }
            S* const to = x.target(0, n);
            S result[lanes];
            for (Index l = 0; l < lanes; ++l) result[l] = static_cast<S>(function(x.from[I][l]...));
            if (add) {
                for (Index l = 0; l < lanes; ++l) to[l] += result[l];
            } else {
                __builtin_memcpy(to, result, sizeof result);
            }
            if (n < lanes) x.finish(n);
            ((x.from[I] += lanes), ...);
            x.to[0] += lanes;
        }
    }
}

// function(x[0][i], x[1][i], ...) by reference: the first `Changed` arrays receive what it left in them.
template <class S, class Function, std::size_t Changed, std::size_t... I>
__attribute__((flatten)) void change(const void* erased, S* const* arrays, Index n) {
    const Function& function = *static_cast<const Function*>(erased);
    Lanes<S, sizeof...(I), Changed> x;
    ((x.from[I] = arrays[I]), ...);
    for (std::size_t k = 0; k < Changed; ++k) x.to[k] = arrays[k];
    for (; n > 0; n -= lanes) {
        if (n < lanes) x.spare(n);
        S result[sizeof...(I)][lanes];
        const auto one = [&](Index l, auto... values) {
            function(values...);
            ((result[I][l] = values), ...);
        };
        for (Index l = 0; l < lanes; ++l) one(l, x.from[I][l]...);
        [&]<std::size_t... K>(std::index_sequence<K...>) {
            (static_cast<void>(__builtin_memcpy(x.target(K, n), result[K], sizeof result[K])), ...);
            if (n < lanes) x.finish(n);
            ((x.to[K] += lanes), ...);
        }
        (std::make_index_sequence<Changed>{});
        ((x.from[I] += lanes), ...);
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
