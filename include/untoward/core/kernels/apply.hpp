// SPDX-License-Identifier: MIT
// Functions of numbers, over arrays: see core/elementwise.hpp. core/kernels.hpp includes this file once for each
// instruction set, and once for what the compiler was told to use; on its own it is empty.
//
// The compiler makes vector instructions, at -O2 as well, of a loop whose length it knows and whose results nothing
// else can see. So there is one such loop over the lanes of one vector, and, save in sums, no other copy of the function: what is
// left over at the end is filled up.
//
// What is the same for all lanes and known only at run time, such as whether to add to what is there, is decided outside
// of every loop: no arithmetic of vectors stands under an `if` or a `?:` within one. g++ 12 makes such a condition the
// mask of the arithmetic (.COND_ADD in its if-conversion, at -O3), as it would for numbers; for AVX-512 the mask of a
// vector has a bit for every lane, and a condition that holds is the number 1: only the first lane is computed.
// tests/settings/conditional_vectors.cpp is that fault without the library. So a kernel that may add always adds: what
// is there, or -0, which leaves every number as it is.
#ifdef UNTOWARD_KERNEL_SET

// clang takes a loop over a few lanes apart before it looks for vectors, unless told; a function that cannot be made
// vectors is no mistake.
#if defined(__clang__) && UNTOWARD_KERNEL_BYTES >= 16
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#define UNTOWARD_OVER_LANES _Pragma("clang loop vectorize(assume_safety) unroll(disable)")
#else
#define UNTOWARD_OVER_LANES
#endif

namespace untoward UNTOWARD_SETTING::detail::UNTOWARD_KERNEL_SET {

// As many numbers as one vector of this set holds: more would be a loop through memory.
template <class S>
inline constexpr Index lanes = UNTOWARD_KERNEL_BYTES / static_cast<Index>(sizeof(S));
#if UNTOWARD_KERNEL_BYTES == 4
template <>
inline constexpr Index lanes<double> = 1;
#endif

// They as one value, for sums: an array that is added to would stay in memory.
template <class S, Index Lanes>
struct VectorOf {
    typedef S Type __attribute__((vector_size(Lanes * sizeof(S))));
    typedef S Anywhere __attribute__((vector_size(Lanes * sizeof(S)), aligned(sizeof(S)), may_alias));
};
template <class S, Index Lanes = lanes<S>>
using Vector = typename VectorOf<S, Lanes>::Type;

// Compilers copy bytes in smaller pieces than these.
template <class S, Index Lanes = lanes<S>>
UNTOWARD_INLINE Vector<S, Lanes> load_vector(const S* from) {
    return *reinterpret_cast<const typename VectorOf<S, Lanes>::Anywhere*>(from);
}
template <class S, Index Lanes = lanes<S>>
UNTOWARD_INLINE void store_vector(S* to, Vector<S, Lanes> x) {
    *reinterpret_cast<typename VectorOf<S, Lanes>::Anywhere*>(to) = x;
}

// What changes no number that it is added to: x + -0 is x, for both zeros and what is not a number too. As many as any
// vector has lanes.
template <class S>
struct MinusZeros {
    alignas(64) S of_lanes[16];
};
template <class S>
inline constexpr MinusZeros<S> minus_zeros{{S(-0.0), S(-0.0), S(-0.0), S(-0.0), S(-0.0), S(-0.0), S(-0.0),
                                            S(-0.0), S(-0.0), S(-0.0), S(-0.0), S(-0.0), S(-0.0), S(-0.0),
                                            S(-0.0), S(-0.0)}};

// Where to read what a result is added to: in the array itself where `add`, else always the same zeros.
template <class S>
struct Addend {
    const S* from;
    Index step;  // 1, or 0

    UNTOWARD_INLINE Addend(bool add, const S* array)
        : from(add ? array : minus_zeros<S>.of_lanes), step(add ? 1 : 0) {}

    [[nodiscard]] UNTOWARD_INLINE const S* at(Index i) const { return from + i * step; }
};

// The first n of fewer than `lanes` numbers.
template <class S>
UNTOWARD_INLINE void copy_some(S* to, const S* from, Index n) {
    static_assert(lanes<S> <= 16);
    for (Index part = lanes<S> / 2; part > 0; part /= 2) {
        if ((n & part) == 0) continue;
        for (Index l = 0; l < part; ++l) to[l] = from[l];
        to += part;
        from += part;
    }
}

// The same to a room of whole lanes, zero beyond. A processor that is to load at once what was stored in parts waits
// until all of it is in the cache.
template <class S>
UNTOWARD_INLINE void load_some(S* room, const S* from, Index n) {
    for (Index l = 0; l < lanes<S>; ++l) room[l] = 0;
    copy_some(room, from, n);
}
#ifdef UNTOWARD_KERNEL_TILES
UNTOWARD_INLINE void load_some(float* room, const float* from, Index n) {
    store(room, load(from, first_lanes(n)));
}
#endif

// Arrays of some number of rows, the first `Changed` of which are written: the rows that fill whole lanes first, of all
// columns, then, in a second turn of the same loops, the rest of every column, filled up, in room of its own.
//
//     for (Turns<2, 1, S> turns(rows); turns.next();)
//         for (every column) {
//             S* x[] = {of this column};
//             turns.enter(x);
//             for (Index i = 0; i < turns.n; i += lanes<S>) ...
//             turns.leave();
//         }
template <std::size_t Count, std::size_t Changed, class S>
struct Turns {
    Index n = 0;  // rows of a column in this turn
    Index whole;
    Index rest;
    int turn = 0;
    S* rest_at[Changed];
    S room[Count][lanes<S>];

    UNTOWARD_INLINE explicit Turns(Index rows) : whole(rows / lanes<S> * lanes<S>), rest(rows - whole) {}

    UNTOWARD_INLINE bool next() {
        if (turn == 0 && whole > 0) {
            turn = 1;
            n = whole;
            return true;
        }
        if (turn == 2 || rest == 0) return false;
        turn = 2;
        n = lanes<S>;
        return true;
    }
    UNTOWARD_INLINE void enter(S* (&x)[Count]) {
        if (turn == 1) return;
        for (std::size_t k = 0; k < Count; ++k) {
            S* const from = x[k] + whole;
            if (k < Changed) rest_at[k] = from;
            load_some(room[k], from, rest);
            x[k] = room[k];
        }
    }
    UNTOWARD_INLINE void leave() {
        if (turn == 1) return;
        for (std::size_t k = 0; k < Changed; ++k) copy_some(rest_at[k], room[k], rest);
    }
};

// Column by column, out[i] = function(in[0][i], in[1][i], ...), or += where it says so.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) void apply(const void* erased, const ElementwiseColumns<S>& c) {
    const Function& function = *static_cast<const Function*>(erased);
    const Index rows = c.rows;
    const Index columns = c.columns;
    const Index out_stride = c.out_stride;
    const Index stride[] = {c.in_stride[I]...};
    for (Turns<1 + sizeof...(I), 1, S> turns(rows); turns.next();) {
        S* column[] = {const_cast<S*>(c.in[I])...};
        S* out = c.out;
        bool add = c.add;
        for (Index j = 0; j < columns; ++j) {
            S* x[] = {out, column[I]...};
            turns.enter(x);
            const Addend<S> addend(add, x[0]);
            for (Index i = 0; i < turns.n; i += lanes<S>) {
                S result[lanes<S>];
                UNTOWARD_OVER_LANES
                for (Index l = 0; l < lanes<S>; ++l) result[l] = static_cast<S>(function(x[1 + I][i + l]...));
                store_vector(x[0] + i, load_vector(result) + load_vector(addend.at(i)));
            }
            turns.leave();
            ((column[I] += stride[I]), ...);
            out += out_stride;
            add = add || out_stride == 0;
        }
    }
}

// What a function left in its k-th number goes to place l, if it is one to keep.
template <bool Keep, class S, std::size_t Changed>
UNTOWARD_INLINE void keep_one(S (&result)[Changed][lanes<S>], std::size_t k, Index l, S x) {
    if constexpr (Keep) result[k][l] = x;
}
template <bool Keep, class S, std::size_t Count, std::size_t Changed>
UNTOWARD_INLINE void store_one(S* const (&to)[Count], Index i, const S (&result)[Changed][lanes<S>],
                               std::size_t k) {
    if constexpr (Keep) store_vector(to[k] + i, load_vector(result[k]));
}

// function(x...) by reference; what it leaves in them goes to place l.
template <class S, std::size_t Changed, class Function, std::size_t... I, class... Values>
UNTOWARD_INLINE void change_one(const Function& function, S (&result)[Changed][lanes<S>], Index l,
                                std::index_sequence<I...>, Values... x) {
    function(x...);
    (keep_one<(I < Changed)>(result, I, l, x), ...);
}

// Column by column, function(x[0][i], x[1][i], ...) by reference: the first `Changed` arrays receive what it left in
// them.
template <class S, class Function, std::size_t Changed, std::size_t... I>
__attribute__((flatten)) void change(const void* erased, const ChangedColumns<S>& c) {
    const Function& function = *static_cast<const Function*>(erased);
    const Index rows = c.rows;
    const Index stride[] = {c.stride[I]...};
    for (Turns<sizeof...(I), Changed, S> turns(rows); turns.next();) {
        S* column[] = {c.arrays[I]...};
        for (Index j = 0; j < c.columns; ++j) {
            S* x[] = {column[I]...};
            turns.enter(x);
            for (Index i = 0; i < turns.n; i += lanes<S>) {
                S result[Changed][lanes<S>];
                UNTOWARD_OVER_LANES
                for (Index l = 0; l < lanes<S>; ++l)
                    change_one(function, result, l, std::index_sequence<I...>{}, x[I][i + l]...);
                (store_one<(I < Changed)>(x, i, result, I), ...);
            }
            turns.leave();
            ((column[I] += stride[I]), ...);
        }
    }
}

// The sum of function(in[0][i], in[1][i], ...): of every 64th (or 32nd, ...) in order, then of those.
template <class S, class Function, std::size_t... I>
__attribute__((flatten)) S total(const void* erased, const S* const* in, Index n) {
    constexpr int chains = 4;  // one waits for itself
    const Function& function = *static_cast<const Function*>(erased);
    Vector<S> sums[chains] = {};
    const S* from[] = {in[I]...};
    Index i = 0;
    for (; i + chains * lanes<S> <= n; i += chains * lanes<S>) {
#pragma GCC unroll 4
        for (int c = 0; c < chains; ++c) {
            S values[lanes<S>];
            UNTOWARD_OVER_LANES
            for (Index l = 0; l < lanes<S>; ++l)
                values[l] = static_cast<S>(function(from[I][c * lanes<S> + l]...));
            sums[c] += load_vector(values);
        }
        ((from[I] += chains * lanes<S>), ...);
    }
    S rest = 0;
    for (; i < n; ++i) {
        rest += static_cast<S>(function(*from[I]...));
        ((++from[I]), ...);
    }
    sums[0] = (sums[0] + sums[2]) + (sums[1] + sums[3]);
    S parts[lanes<S>];
    store_vector(parts, sums[0]);
    for (Index half = lanes<S> / 2; half > 0; half /= 2) {
        for (Index l = 0; l < half; ++l) parts[l] += parts[l + half];
    }
    return parts[0] + rest;
}

}  // namespace untoward::detail::UNTOWARD_KERNEL_SET

#undef UNTOWARD_OVER_LANES
#if defined(__clang__) && UNTOWARD_KERNEL_BYTES >= 16
#pragma clang diagnostic pop
#endif

#endif
