// SPDX-License-Identifier: MIT
// Functions of numbers, over arrays: see core/elementwise.hpp. core/kernels.hpp includes this file once for each
// instruction set, and once for what the compiler was told to use; on its own it is empty.
//
// The compiler makes vector instructions, at -O2 as well, of a loop whose length it knows and whose results nothing
// else can see. So there is one such loop over a few lanes, and, save in sums, no other copy of the function: what is
// left over at the end is filled up.
#ifdef UNTOWARD_KERNEL_SET

namespace untoward::detail::UNTOWARD_KERNEL_SET {

#if !defined(UNTOWARD_PLAIN) && (defined(__SSE2__) || defined(__ARM_NEON) || defined(__ALTIVEC__))
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

// In arrays to read and Out arrays to write, of some number of rows: first as many as fill whole lanes, then, in a second
// turn of the same loop, the rest, filled up, in room of its own.
//
//     for (Turns<1, 1, true, S> turns(rows); turns.next(from, to);) for (Index i = 0; i < turns.n; i += lanes) ...
template <std::size_t In, std::size_t Out, bool ReadsOutput, class S>
struct Turns {
    Index n = 0;  // of this turn
    Index rest;
    int turn = 0;
    S* rest_at[Out];
    S room_in[In][lanes];
    S room_out[Out][lanes];

    UNTOWARD_INLINE explicit Turns(Index rows) : rest(rows) {}

    UNTOWARD_INLINE bool next(const S* (&from)[In], S* (&to)[Out]) {
        if (turn == 2) {
            for (std::size_t k = 0; k < Out; ++k) copy_some(rest_at[k], room_out[k], rest);
            return false;
        }
        if (turn == 0) {
            turn = 1;
            n = rest / lanes * lanes;
            rest -= n;
            if (n > 0) return true;
        }
        if (rest == 0) return false;
        turn = 2;
        for (std::size_t k = 0; k < In; ++k) {
            for (Index l = 0; l < lanes; ++l) room_in[k][l] = 0;
            copy_some(room_in[k], from[k] + n, rest);
            from[k] = room_in[k];
        }
        for (std::size_t k = 0; k < Out; ++k) {
            rest_at[k] = to[k] + n;
            if (ReadsOutput) {
                for (Index l = 0; l < lanes; ++l) room_out[k][l] = 0;
                copy_some(room_out[k], rest_at[k], rest);
            }
            to[k] = room_out[k];
        }
        n = lanes;
        return true;
    }
};

// Column by column, out[i] = function(in[0][i], in[1][i], ...), or += where it says so.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) void apply(const void* erased, const ElementwiseColumns<S>& c) {
    const Function& function = *static_cast<const Function*>(erased);
    for (Index j = 0; j < c.columns; ++j) {
        const S* from[] = {c.in[I] + j * c.in_stride[I]...};
        S* to[] = {c.out + j * c.out_stride};
        const bool add = c.add || (j > 0 && c.out_stride == 0);
        for (Turns<sizeof...(I), 1, true, S> turns(c.rows); turns.next(from, to);) {
            for (Index i = 0; i < turns.n; i += lanes) {
                S result[lanes];
                for (Index l = 0; l < lanes; ++l) result[l] = static_cast<S>(function(from[I][i + l]...));
                if (add) {
                    for (Index l = 0; l < lanes; ++l) result[l] += to[0][i + l];
                }
                __builtin_memcpy(to[0] + i, result, sizeof result);
            }
        }
    }
}

// function(x...) by reference; what it leaves in them goes to place l of the first arrays.
template <class S, std::size_t Changed, class Function, class... Values>
UNTOWARD_INLINE void change_one(const Function& function, S (&result)[sizeof...(Values)][lanes], Index l,
                                Values... x) {
    function(x...);
    std::size_t k = 0;
    ((result[k++][l] = x), ...);
}

// Column by column, function(x[0][i], x[1][i], ...) by reference: the first `Changed` arrays receive what it left in
// them.
template <class S, class Function, std::size_t Changed, std::size_t... I>
__attribute__((flatten)) void change(const void* erased, const ChangedColumns<S>& c) {
    const Function& function = *static_cast<const Function*>(erased);
    for (Index j = 0; j < c.columns; ++j) {
        const S* from[] = {c.arrays[I] + j * c.stride[I]...};
        S* to[Changed];
        for (std::size_t k = 0; k < Changed; ++k) to[k] = c.arrays[k] + j * c.stride[k];
        for (Turns<sizeof...(I), Changed, false, S> turns(c.rows); turns.next(from, to);) {
            for (Index i = 0; i < turns.n; i += lanes) {
                S result[sizeof...(I)][lanes];
                for (Index l = 0; l < lanes; ++l)
                    change_one<S, Changed>(function, result, l, from[I][i + l]...);
                for (std::size_t k = 0; k < Changed; ++k)
                    __builtin_memcpy(to[k] + i, result[k], sizeof result[k]);
            }
        }
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
